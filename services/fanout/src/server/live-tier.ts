import {
  authenticateNobody,
  clientAddress,
  isLoopback,
  networkOf,
  RequestGuard,
  type Authenticate,
  type ClientAddress,
  type Principal,
} from '@logloom/auth';
import { EventLogError, type EventLog } from '@logloom/event-log';
import { createGapReport, type GapReport } from '@logloom/runtime';
import type { Serde } from '@logloom/schema-registry';
import type { Settings } from '@logloom/settings';
import { SecurityLog, type Telemetry } from '@logloom/telemetry';
import type { FastifyInstance } from 'fastify';
import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionLimit, connectionBudget } from '../admission/connection-limit.ts';
import type { SubscribeRequest } from '../protocol/client-message.ts';
import { correlationsStream } from '../stream/correlations-stream.ts';
import { attachDurables } from '../durable/durable-routes.ts';
import { DurableCursors } from '../durable/durable-cursors.ts';
import { DrainWatch } from '../delivery/drain-watch.ts';
import { AddressBook, type AddressLimits } from '../admission/address-book.ts';
import { liveError, type LiveError } from '../errors.ts';
import { eventsStream } from '../stream/events-stream.ts';
import { ExpiryWatch } from './expiry-watch.ts';
import { HandshakeGate } from '../admission/handshake-gate.ts';
import { HolderBook, type Seat } from '../admission/holder-book.ts';
import { Heartbeats } from './heartbeats.ts';
import { attachPoll } from '../transports/poll/live-poll.ts';
import { attachSse } from '../transports/sse/live-sse.ts';
import type { LiveStores } from './live-stores.ts';
import { LiveStream } from '../stream/live-stream.ts';
import { attachWebSocket } from '../transports/web-socket/live-web-socket.ts';
import type { PollViewer } from '../transports/poll/poll-viewer.ts';
import { Pressure } from '../delivery/pressure.ts';
import type { SessionContext } from '../delivery/session.ts';
import type { SseViewer } from '../transports/sse/sse-viewer.ts';
import type { StreamKind } from '../stream/stream-kind.ts';
import { registerLiveMetrics } from '../telemetry.ts';
import { Turns } from '../admission/turns.ts';
import { defaultLimits, type ViewerLimits } from '../admission/viewer-limits.ts';
import type { WebSocketViewer } from '../transports/web-socket/web-socket-viewer.ts';

/** So long until a damaged file of the log is looked at again. */
const damageRetryMs = 5000;

export interface LiveTierDeps {
  log: EventLog;
  serde: Serde;
  settings: Pick<Settings, 'LIVE_FLUSH_MS' | 'LIVE_BUFFER_BYTES'> &
    Partial<Pick<Settings, 'LIVE_TOTAL_BUFFER_BYTES'>>;
  telemetry: Telemetry;
  /** Absent: no durable subscriptions, and what the log has no longer is a gap. */
  stores?: LiveStores;
  /** Finds out who a viewer is; default: everybody is let in. */
  authenticate?: Authenticate;
  options?: Partial<LiveTierOptions>;
}

export interface LiveTierOptions {
  heartbeatMs: number;
  /** Connections over this are refused with 503. */
  maxViewers: number;
  /** Connections of all kinds; default: what the viewers and the process's file descriptors allow (connectionBudget). */
  maxConnections?: number;
  /** Viewers who may wait to be let in; more are refused with 503. */
  maxHandshakes: number;
  limits: ViewerLimits;
  addressLimits: AddressLimits;
  /** Whose X-Forwarded-For is believed (clientAddress). */
  trustedProxies: readonly string[];
  /** What the server listens on, and the names that it is known by besides (RequestGuard). */
  host: string;
  allowedHosts: readonly string[];
  /** Whether each subscription is told in the log, with who made it. */
  auditReads: boolean;
  /** Pages of these origins may connect too. */
  allowedOrigins: readonly string[];
  /** Viewers are told to come back at a time spread over so long. */
  retrySpreadMs: number;
  /** The longest that a drain takes before it cuts who is left. */
  drainMs: number;
  /** Other processes serve the same port: viewers who are sent away may come back at once. */
  othersServe: boolean;
  /** Records a partition that are read back at the start. */
  readBack: number;
  /** What each stream keeps in memory for viewers who come back. */
  ringItems: number;
  ringBytes: number;
  /** The cursor of a durable subscription that nobody uses is kept so long. */
  durableExpireMs: number;
  /** Durable names of one holder. */
  durableNames: number;
  /** What all durable names take together. */
  durableBytes: number;
}

const defaults: LiveTierOptions = {
  heartbeatMs: 15_000,
  maxViewers: 20_000,
  maxHandshakes: 1_000,
  limits: defaultLimits,
  addressLimits: { connections: 1_000, messagesPerSecond: 2_000 },
  trustedProxies: [],
  host: '127.0.0.1',
  allowedHosts: [],
  allowedOrigins: [],
  auditReads: false,
  retrySpreadMs: 5_000,
  drainMs: 3_000,
  othersServe: false,
  readBack: 5_000,
  ringItems: 50_000,
  ringBytes: 64 * 2 ** 20,
  durableExpireMs: 7 * 86_400_000,
  durableNames: 1_000,
  durableBytes: 64 * 2 ** 20,
};

/** What all connections of a holder may begin together, in terms of what one may. */
const holderFactor = 10;
const waveMs = 100;
/** How much of the drain's time goes to the waves; the rest is for the last ones to close. */
const waveShare = 0.8;
const defaultTotalBudget = 512 * 2 ** 20;

type Transport = 'websocket' | 'sse' | 'poll';
type AnyViewer = WebSocketViewer | SseViewer | PollViewer;

/** The live tier: attach() it to the viewers' server, then run() it. */
export class LiveTier {
  readonly options: LiveTierOptions;
  readonly gate: HandshakeGate;
  readonly authenticate: Authenticate;
  readonly guard: RequestGuard;
  readonly #security: SecurityLog;
  readonly #deps: LiveTierDeps;
  readonly #turns = new Turns();
  readonly #gaps: GapReport;
  readonly #drainWatch = new DrainWatch();
  readonly #pressure: Pressure;
  readonly #heartbeats: Heartbeats<AnyViewer>;
  readonly #viewers = {
    websocket: new Set<WebSocketViewer>(),
    sse: new Set<SseViewer>(),
    poll: new Set<PollViewer>(),
  };
  readonly #durables: DurableCursors | undefined;
  readonly #expiryWatch = new ExpiryWatch();
  readonly #addressOf: ClientAddress;
  readonly #addresses: AddressBook;
  readonly #holders: HolderBook;
  readonly #servers = new Map<Server, ConnectionLimit>();
  #state: 'starting' | 'open' | 'draining' = 'starting';
  #session: SessionContext | undefined;
  #lastChannel = 0;

  constructor(deps: LiveTierDeps) {
    this.#deps = deps;
    this.#gaps = createGapReport(deps.telemetry);
    this.options = { ...defaults, ...deps.options };
    this.#pressure = new Pressure(deps.settings.LIVE_TOTAL_BUFFER_BYTES ?? defaultTotalBudget);
    this.#durables =
      deps.stores &&
      new DurableCursors({
        records: deps.stores.records,
        logger: deps.telemetry.logger,
        expireMs: this.options.durableExpireMs,
        namesPerHolder: this.options.durableNames,
        totalBytes: this.options.durableBytes,
      });
    this.authenticate = deps.authenticate ?? authenticateNobody;
    this.guard = new RequestGuard(this.options);
    this.#security = new SecurityLog(deps.telemetry);
    this.gate = new HandshakeGate(this.options.maxHandshakes);
    this.#addressOf = clientAddress(this.options.trustedProxies);
    this.#addresses = new AddressBook(this.options.addressLimits);
    const { subscribesPerSecond, subscriptions } = this.options.limits;
    this.#holders = new HolderBook({
      subscribesPerSecond: holderFactor * subscribesPerSecond,
      burst: 2 * holderFactor * subscriptions,
    });
    this.#heartbeats = new Heartbeats(this.options.heartbeatMs);
    registerLiveMetrics(deps.telemetry, {
      viewers: () => ({
        websocket: this.#viewers.websocket.size,
        sse: this.#viewers.sse.size,
        poll: this.#viewers.poll.size,
      }),
      connections: () => {
        const limits = [...this.#servers.values()];
        return {
          open: limits.reduce((sum, { size }) => sum + size, 0),
          cut: limits.reduce((sum, { cut }) => sum + cut, 0),
        };
      },
      streams: () => this.#streams,
    });
  }

  /** Adds /live (WebSocket), /live/sse, /live/poll and /live/durable. All other upgrades on this server are refused: nothing else may handle them. */
  attach(app: FastifyInstance): void {
    const { maxConnections, maxViewers, maxHandshakes } = this.options;
    const max = maxConnections ?? connectionBudget(maxViewers, maxHandshakes);
    const connections = new ConnectionLimit(app.server, max);
    this.#servers.set(app.server, connections);
    attachWebSocket(app.server, this, connections);
    attachSse(app, this);
    attachPoll(app, this);
    attachDurables(app, this);
  }

  /**
   * Follows the log until the signal aborts, then drains: viewers get what comes until their turn to leave. `onReady` is called when
   * viewers may come. When a topic is made anew, every viewer is sent away and may come back at once: its cursors are void, which it
   * is told. Rejects when the log fails.
   */
  async run(signal: AbortSignal, onReady: () => void = () => {}): Promise<void> {
    for (;;) {
      try {
        return await this.#run(signal, onReady);
      } catch (error) {
        const isRecreated = error instanceof EventLogError && error.code === 'topic-recreated';
        // One process of several is replaced as a whole.
        if (!isRecreated || signal.aborted || this.options.othersServe) throw error;
        this.#deps.telemetry.logger.error({ err: error }, 'the live tier begins anew on what is there now');
      }
    }
  }

  async #run(signal: AbortSignal, onReady: () => void): Promise<void> {
    this.#heartbeats.start();
    const failed = new AbortController();
    const drained = new AbortController();
    const stop = AbortSignal.any([signal, failed.signal]);
    let following: Promise<void>[] = [];
    try {
      const [events, correlations] = [
        await this.#open(eventsStream, stop),
        await this.#open(correlationsStream, stop),
      ];
      this.#session = {
        streams: { events, correlations },
        turns: this.#turns,
        drainWatch: this.#drainWatch,
        pressure: this.#pressure,
        budget: this.#deps.settings.LIVE_BUFFER_BYTES,
        limits: this.options.limits,
        logger: this.#deps.telemetry.logger,
        serde: this.#deps.serde,
        durables: this.#durables,
      };
      this.#state = 'open';
      if (!stop.aborted) onReady();
      following = this.#streams.map((stream) => stream.follow(drained.signal));
      for (const follow of following) follow.catch(() => failed.abort());
      if (!stop.aborted) await once(stop, 'abort');
    } catch (error) {
      // It was told to stop while it waited for the log.
      if (!isDamage(error) || !signal.aborted) throw error;
    } finally {
      await this.#drain(signal.aborted ? 'shutdown' : 'restart');
      await this.#durables?.save();
      drained.abort();
    }
    for (const result of await Promise.allSettled(following))
      if (result.status === 'rejected') throw result.reason;
  }

  /** Why a new viewer is refused at present; undefined when it is welcome. */
  refusal(): LiveError | undefined {
    if (this.#state === 'starting') return liveError('starting');
    if (this.#state === 'draining') return liveError('draining');
    if (this.#viewerCount >= this.options.maxViewers) return liveError('too-many-viewers');
    return this.gate.isFull ? liveError('too-many-handshakes') : undefined;
  }

  /** Counts and tells who was refused for who or where they are; returns the error. */
  refused(request: IncomingMessage, error: LiveError): LiveError {
    const { host, origin } = request.headers;
    const { code, message } = error;
    this.#security.refused('live', code, {
      address: this.#addressOf(request),
      host,
      origin,
      detail: message,
    });
    return error;
  }

  /** A place for a viewer who has waited, to be left once; or why there is none any more. */
  enter(
    request: IncomingMessage,
    { subject }: Principal,
  ): { ok: true; seat: Seat } | { ok: false; error: LiveError } {
    const error = this.refusal();
    if (error !== undefined && error.code !== 'too-many-handshakes') return { ok: false, error };
    const address = this.#addressOf(request);
    const seat = this.#addresses.enter(address);
    if (seat === undefined) return { ok: false, error: liveError('too-many-connections') };
    const isOwn = address === undefined || isLoopback(address);
    const payer =
      subject !== undefined ? `holder ${subject}` : isOwn ? undefined : `address ${networkOf(address)}`;
    return { ok: true, seat: this.#holders.seat(seat, payer) };
  }

  /** As enter(), for a request that subscribes by itself: it costs what subscribing on a connection does. */
  enterSubscribed(request: IncomingMessage, holder: Principal): ReturnType<LiveTier['enter']> {
    const admission = this.enter(request, holder);
    const now = performance.now();
    if (!admission.ok || (admission.seat.admitMessage(now) && admission.seat.admitSubscribe(now)))
      return admission;
    admission.seat.leave();
    return { ok: false, error: liveError('rate-limited') };
  }

  /** What the sessions of a holder work with; there is one whenever refusal() gives none. */
  sessionFor({ subject, filter, name }: Principal, request?: IncomingMessage): SessionContext {
    const { auditReads } = this.options;
    if (subject === undefined && !auditReads) return this.#session!;
    return {
      ...this.#session!,
      ...(subject === undefined ? {} : { holder: subject }),
      ...(filter === undefined ? {} : { imposed: filter }),
      ...(auditReads ? { onSubscribe: this.#auditFor(name, request && this.#addressOf(request)) } : {}),
    };
  }

  /** Keeps account of who subscribes to what. */
  #auditFor(subject: string | undefined, address: string | undefined): (request: SubscribeRequest) => void {
    return ({ stream, filter }) => this.#security.read(`live ${stream}`, filter, { subject, address });
  }

  /** Counts a viewer in, until its token expires at the latest; leave() counts it out. */
  admit(transport: 'websocket', viewer: WebSocketViewer, holder: Principal): void;
  admit(transport: 'sse', viewer: SseViewer, holder: Principal): void;
  admit(transport: 'poll', viewer: PollViewer, holder: Principal): void;
  admit(transport: Transport, viewer: AnyViewer, { expiresAtMs }: Principal): void {
    (this.#viewers[transport] as Set<AnyViewer>).add(viewer);
    this.#heartbeats.add(viewer);
    if (expiresAtMs !== undefined) this.#expiryWatch.add(viewer, expiresAtMs);
  }

  leave(transport: Transport, viewer: AnyViewer): void {
    (this.#viewers[transport] as Set<AnyViewer>).delete(viewer);
    this.#heartbeats.delete(viewer);
    this.#expiryWatch.delete(viewer);
  }

  /** Polls that wait for something. */
  get polls(): ReadonlySet<PollViewer> {
    return this.#viewers.poll;
  }

  get #streams(): LiveStream[] {
    return this.#session === undefined ? [] : Object.values(this.#session.streams);
  }

  /** Waits while a file of the embedded log is damaged: the rest of Logloom runs, and readiness names the file. */
  async #open(kind: StreamKind, signal: AbortSignal): Promise<LiveStream> {
    for (;;) {
      try {
        return await this.#openNow(kind, signal);
      } catch (error) {
        if (!isDamage(error) || signal.aborted) throw error;
        this.#deps.telemetry.logger.error({ err: error }, 'the live tier waits for a file of the log');
        await sleep(damageRetryMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  #openNow(kind: StreamKind, signal: AbortSignal): Promise<LiveStream> {
    const { log, serde, settings, telemetry } = this.#deps;
    const { readBack, ringItems, ringBytes } = this.options;
    return LiveStream.open(
      {
        kind,
        log,
        serde,
        logger: telemetry.logger,
        tracing: telemetry.tracing,
        flushMs: settings.LIVE_FLUSH_MS,
        nextChannel: () => ++this.#lastChannel,
        turns: this.#turns,
        gaps: this.#gaps,
        // Of correlations it keeps no places in the log.
        archive: kind === eventsStream ? this.#deps.stores?.archive : undefined,
        readBack,
        ringItems,
        ringBytes,
      },
      signal,
    );
  }

  /** Stops accepting, sends viewers away in waves, so that they do not all come back at once, and cuts who is left. */
  async #drain(reason: 'shutdown' | 'restart'): Promise<void> {
    this.#state = 'draining';
    const { drainMs, othersServe, retrySpreadMs } = this.options;
    // What connects from now on is for the others.
    if (othersServe) for (const server of this.#servers.keys()) server.close();
    const deadline = performance.now() + drainMs;
    for (const poll of this.#viewers.poll) poll.close();
    const viewers = [...this.#viewers.websocket, ...this.#viewers.sse];
    const waves = Math.max(1, Math.min(viewers.length, Math.floor((drainMs * waveShare) / waveMs)));
    const spread = (): number => Math.round(Math.random() * (othersServe ? waveMs : retrySpreadMs));
    for (const stream of this.#streams) stream.flushAll();
    if (!othersServe)
      for (const viewer of viewers)
        if (reason === 'restart') viewer.goodbye('restart', spread());
        else viewer.goodbye('shutdown', spread());
    const perWave = Math.ceil(viewers.length / waves);
    for (let first = 0; first < viewers.length; first += perWave) {
      for (const stream of this.#streams) stream.flushAll();
      for (const viewer of viewers.slice(first, first + perWave)) {
        if (othersServe) viewer.goodbye('restart', spread());
        viewer.close();
      }
      if (first + perWave < viewers.length) await sleep(waveMs);
    }
    while (this.#viewerCount > 0 && performance.now() < deadline) await sleep(10);
    this.#heartbeats.stop();
    for (const viewers of Object.values(this.#viewers)) for (const viewer of viewers) viewer.terminate();
  }

  get #viewerCount(): number {
    const { websocket, sse, poll } = this.#viewers;
    return websocket.size + sse.size + poll.size;
  }
}

/** Makes a live tier; attach() it to the viewers' server, then run() it. */
export function createLiveTier(deps: LiveTierDeps): LiveTier {
  return new LiveTier(deps);
}

function isDamage(error: unknown): boolean {
  return error instanceof EventLogError && error.code === 'log-damaged';
}
