import type { MessageSize, TrafficProfile } from '../scenario/traffic-profile.ts';
import type { ViewerKind } from '../scenario/viewer-kind.ts';
import { filterMatcher, type FilterMatcher } from './filter-matcher.ts';
import type { LoadEvent } from './load-event.ts';
import type { Recording } from './recording.ts';

/** What a viewer watches. */
export type Watch =
  | { kind: 'all' }
  /** Number of the service, and its name where it is recorded. */
  | { kind: 'service'; service: number }
  | { kind: 'errors' }
  | { kind: 'filter'; filter: string };

const filler = 'the quick brown fox jumps over the lazy dog and ';
const seeds = { service: 0x5e41, error: 0x0e44, size: 0x512e };

/** The events of a run, as a function of their numbers: made by a profile, or the lines of a recording over and over. */
export class Traffic {
  readonly run: string;
  readonly profile: TrafficProfile;
  readonly #recording: Recording | undefined;
  readonly #seed: number;
  readonly #sizes: readonly MessageSize[];
  /** Up to which share of the hashes each size and each service comes. */
  readonly #sizeEnds: readonly number[];
  readonly #serviceEnds: readonly number[];
  readonly #matchers = new Map<string, FilterMatcher>();

  /** `run` names the run: 12 hexadecimal digits. */
  constructor(run: string, profile: TrafficProfile, recording?: Recording) {
    const { messageBytes, services, serviceSkew = 0 } = profile;
    this.run = run;
    this.profile = profile;
    this.#recording = recording;
    this.#seed = parseInt(run.slice(0, 8), 16) | 0;
    this.#sizes = typeof messageBytes === 'number' ? [{ weight: 1, bytes: messageBytes }] : messageBytes;
    this.#sizeEnds = endsOf(this.#sizes.map(({ weight }) => weight));
    // Zipf's law: the service of rank r is as frequent as 1 / r ** skew.
    this.#serviceEnds = endsOf(Array.from({ length: services }, (_, i) => (i + 1) ** -serviceSkew));
  }

  event(n: number): LoadEvent {
    const { request } = this.placeOf(n);
    if (this.#recording !== undefined) return { n, request, ...this.#recording.lineOf(n) };
    const level = this.isError(n) ? 'error' : 'info';
    const start = `load test ${this.run} event ${n} of request ${request}: `;
    const missing = Math.max(0, this.#bytesOf(n) - start.length);
    const message = start + filler.repeat(Math.ceil(missing / filler.length)).slice(0, missing);
    return { n, service: serviceName(this.serviceOf(n)), level, request, message };
  }

  /** The request of an event, and its position there. Events of so many requests at a time are interleaved. */
  placeOf(n: number): { request: number; index: number } {
    if (this.#recording !== undefined) return this.#recording.placeOf(n);
    const { concurrentRequests, eventsPerRequest } = this.profile;
    const turn = concurrentRequests * eventsPerRequest;
    const [block, position] = [Math.floor(n / turn), n % turn];
    return {
      request: block * concurrentRequests + (position % concurrentRequests),
      index: Math.floor(position / concurrentRequests),
    };
  }

  /** Which of so many queues sends it: a request's events all go through one. */
  queueOf(n: number, queues: number): number {
    const { request } = this.placeOf(n);
    return (request < 0 ? n : request) % queues;
  }

  /** The numbers of a request's events, of the first `total` of the run. */
  membersOf(request: number, total: number): number[] {
    if (this.#recording !== undefined) return this.#recording.membersOf(request, total);
    const { concurrentRequests, eventsPerRequest } = this.profile;
    const block = Math.floor(request / concurrentRequests);
    const first = block * concurrentRequests * eventsPerRequest + (request % concurrentRequests);
    return Array.from({ length: eventsPerRequest }, (_, index) => first + index * concurrentRequests).filter(
      (n) => n < total,
    );
  }

  /** How many requests the first `total` events begin. */
  requestCount(total: number): number {
    if (this.#recording !== undefined) return this.#recording.requestCount(total);
    const { concurrentRequests, eventsPerRequest } = this.profile;
    const turn = concurrentRequests * eventsPerRequest;
    return Math.floor(total / turn) * concurrentRequests + Math.min(concurrentRequests, total % turn);
  }

  serviceOf(n: number): number {
    if (this.#recording !== undefined) return this.#recording.serviceOf(n);
    const { services, serviceSkew = 0 } = this.profile;
    const hash = mix(this.#seed ^ seeds.service, n);
    return serviceSkew === 0 ? hash % services : indexAt(this.#serviceEnds, hash);
  }

  isError(n: number): boolean {
    if (this.#recording !== undefined) return this.#recording.lineOf(n).level === 'error';
    return mix(this.#seed ^ seeds.error, n) < this.profile.errorShare * 2 ** 32;
  }

  matches(watch: Watch, n: number): boolean {
    switch (watch.kind) {
      case 'all':
        return true;
      case 'errors':
        return this.isError(n);
      case 'service':
        return this.serviceOf(n) === watch.service;
      case 'filter': {
        const event = this.event(n);
        const id = event.request < 0 ? null : requestId(this.run, event.request);
        return this.#matcherOf(watch.filter)(event, id, this.run);
      }
    }
  }

  /** What the viewer with this number watches. */
  watchOf({ watch, filter }: Pick<ViewerKind, 'watch' | 'filter'>, viewer: number): Watch {
    if (watch === 'filter') return { kind: watch, filter: filter! };
    const services = this.#recording?.services.length ?? this.profile.services;
    return watch === 'service' ? { kind: watch, service: viewer % services } : { kind: watch };
  }

  /** The watch as a filter in Logloom's syntax; empty: everything. */
  filterOf(watch: Watch): string {
    switch (watch.kind) {
      case 'all':
        return '';
      case 'errors':
        return 'level:error';
      case 'service':
        return `service:${JSON.stringify(this.#serviceName(watch.service))}`;
      case 'filter':
        return watch.filter;
    }
  }

  /** Names a watch, for reports. */
  nameOf(watch: Watch): string {
    if (watch.kind === 'filter') return watch.filter;
    return watch.kind === 'service' ? `service ${this.#serviceName(watch.service)}` : watch.kind;
  }

  #serviceName(service: number): string {
    return this.#recording?.services[service] ?? serviceName(service);
  }

  #bytesOf(n: number): number {
    if (this.#sizes.length === 1) return this.#sizes[0]!.bytes;
    return this.#sizes[indexAt(this.#sizeEnds, mix(this.#seed ^ seeds.size, n))]!.bytes;
  }

  #matcherOf(filter: string): FilterMatcher {
    let matcher = this.#matchers.get(filter);
    if (matcher === undefined) this.#matchers.set(filter, (matcher = filterMatcher(filter)));
    return matcher;
  }
}

/** Requests have ids of their own in every run. */
export function requestId(run: string, request: number): string {
  return `loadtest-${run}-${request}`;
}

export function serviceName(service: number): string {
  return `loadtest-${service}`;
}

/** Of weights, where each ends in the range of a 32-bit hash. */
function endsOf(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let end = 0;
  return weights.map((weight) => ((end += weight) / total) * 2 ** 32);
}

function indexAt(ends: readonly number[], hash: number): number {
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle]! <= hash) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** An unsigned 32-bit hash of two numbers: the finalizer of MurmurHash3, by Austin Appleby, public domain. */
function mix(seed: number, n: number): number {
  let h = (Math.imul(n | 0, 0x9e3779b1) ^ seed) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
