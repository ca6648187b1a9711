import type { TrafficProfile, WatchKind } from '../scenario/scenario.ts';

/** What an event of a run says. It follows from its number, so that every process knows what any viewer has to get. */
export interface LoadEvent {
  n: number;
  service: string;
  level: 'info' | 'error';
  /** Number of its request in the run. */
  request: number;
  /** Its position among the events of its request. */
  index: number;
  message: string;
}

/** What a viewer watches. */
export type Watch = { kind: 'all' } | { kind: 'service'; service: number } | { kind: 'errors' };

const filler = 'the quick brown fox jumps over the lazy dog and ';

/** The events of a run, as a function of their numbers. */
export class Traffic {
  readonly run: string;
  readonly profile: TrafficProfile;
  readonly #seed: number;

  /** `run` names the run: 12 hexadecimal digits. */
  constructor(run: string, profile: TrafficProfile) {
    this.run = run;
    this.profile = profile;
    this.#seed = parseInt(run.slice(0, 8), 16) | 0;
  }

  event(n: number): LoadEvent {
    const { request, index } = this.placeOf(n);
    const service = this.serviceOf(n);
    const level = this.isError(n) ? 'error' : 'info';
    const start = `load test ${this.run} event ${n} of request ${request}: `;
    const missing = Math.max(0, this.profile.messageBytes - start.length);
    const message = start + filler.repeat(Math.ceil(missing / filler.length)).slice(0, missing);
    return { n, service: serviceName(service), level, request, index, message };
  }

  /** Events of so many requests at a time are interleaved. */
  placeOf(n: number): { request: number; index: number } {
    const { concurrentRequests, eventsPerRequest } = this.profile;
    const turn = concurrentRequests * eventsPerRequest;
    const [block, position] = [Math.floor(n / turn), n % turn];
    return {
      request: block * concurrentRequests + (position % concurrentRequests),
      index: Math.floor(position / concurrentRequests),
    };
  }

  /** The numbers of a request's events, of the first `total` of the run. */
  membersOf(request: number, total: number): number[] {
    const { concurrentRequests, eventsPerRequest } = this.profile;
    const block = Math.floor(request / concurrentRequests);
    const first = block * concurrentRequests * eventsPerRequest + (request % concurrentRequests);
    return Array.from({ length: eventsPerRequest }, (_, index) => first + index * concurrentRequests).filter(
      (n) => n < total,
    );
  }

  /** How many requests the first `total` events begin. */
  requestCount(total: number): number {
    const { concurrentRequests, eventsPerRequest } = this.profile;
    const turn = concurrentRequests * eventsPerRequest;
    return Math.floor(total / turn) * concurrentRequests + Math.min(concurrentRequests, total % turn);
  }

  serviceOf(n: number): number {
    return mix(this.#seed ^ 0x5e41, n) % this.profile.services;
  }

  isError(n: number): boolean {
    return mix(this.#seed ^ 0x0e44, n) < this.profile.errorShare * 2 ** 32;
  }

  matches(watch: Watch, n: number): boolean {
    if (watch.kind === 'all') return true;
    return watch.kind === 'errors' ? this.isError(n) : this.serviceOf(n) === watch.service;
  }

  /** What the viewer with this number watches. */
  watchOf(kind: WatchKind, viewer: number): Watch {
    return kind === 'service' ? { kind, service: viewer % this.profile.services } : { kind };
  }
}

/** Requests have ids of their own in every run. */
export function requestId(run: string, request: number): string {
  return `loadtest-${run}-${request}`;
}

export function serviceName(service: number): string {
  return `loadtest-${service}`;
}

/** Names a watch, for reports. */
export function watchName(watch: Watch): string {
  return watch.kind === 'service' ? `service ${serviceName(watch.service)}` : watch.kind;
}

/** An unsigned 32-bit hash of two numbers: the finalizer of MurmurHash3, by Austin Appleby, public domain. */
function mix(seed: number, n: number): number {
  let h = (Math.imul(n | 0, 0x9e3779b1) ^ seed) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
