import { authenticateNobody, type Authenticate, type Principal } from '@logloom/auth';
import { EventLogError, type EventLog } from '@logloom/event-log';
import { createGapReport, LagWatch, type GapReport } from '@logloom/runtime';
import { topics } from '@logloom/schemas';
import type { Serde } from '@logloom/schema-registry';
import type { Settings } from '../settings.ts';
import { EventAges, SecurityLog, type Telemetry } from '@logloom/telemetry';
import type { FastifyInstance } from 'fastify';
import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import { ConnectionLimit, connectionBudget } from '../admission/connection-limit.ts';
import { EventLoopQueue } from '../admission/event-loop-queue.ts';
import { ViewerAdmission } from '../admission/viewer-admission.ts';
import { DrainWatch } from '../delivery/drain-watch.ts';
import { MemoryBudget } from '../delivery/memory-budget.ts';
import type { ViewerContext } from '../delivery/viewer-context.ts';
import { DurableCursors } from '../durable/durable-cursors.ts';
import { attachDurables } from '../durable/durable-routes.ts';
import type { SubscribeRequest } from '../protocol/client-message.ts';
import { correlationsStream } from '../stream/correlations-stream.ts';
import { eventsStream } from '../stream/events-stream.ts';
import type { LiveStream } from '../stream/live-stream.ts';
import type { StreamKind } from '../stream/stream-kind.ts';
import { registerLiveMetrics } from '../telemetry.ts';
import type { Transport } from '../transports/transport.ts';
import { MemberReader } from '../visible/member-reader.ts';
import { VisibleCorrelations } from '../visible/visible-correlations.ts';
import { drainViewers, type DrainReason } from './drain-viewers.ts';
import type { LiveNode } from './live-node.ts';
import { defaultOptions, type LiveTierOptions } from './live-tier-options.ts';
import { LiveCounts } from './live-counts.ts';
import type { LiveStores } from './live-stores.ts';
import { isPassing, openStream } from './open-stream.ts';
import { ViewerRegistry } from './viewer-registry.ts';

export interface LiveTierDeps {
  log: EventLog;
  serde: Serde;
  settings: Pick<Settings, 'LIVE_FLUSH_MS' | 'LIVE_BUFFER_BYTES'> &
    Partial<Pick<Settings, 'LIVE_TOTAL_BUFFER_BYTES'>>;
  telemetry: Telemetry;
  /** Absent: no durable subscriptions, and events that have left the log are a gap. */
  stores?: LiveStores;
  /** Authenticates viewers; default: every viewer is admitted. */
  authenticate?: Authenticate;
  options?: Partial<LiveTierOptions>;
}

/** The share of a stream's memory, for viewers that reconnect, that documents under imposed filters get. */
const visibleShare = 4;
const defaultTotalBudget = 512 * 2 ** 20;

/** The live tier's server: attach() it to the viewers' HTTP server, then run() it. */
export class LiveTier implements LiveNode {
  readonly options: LiveTierOptions;
  readonly admission: ViewerAdmission;
  /** The connected viewers. */
  readonly viewers: ViewerRegistry;
  readonly #deps: LiveTierDeps;
  readonly #transports: readonly Transport[];
  readonly #security: SecurityLog;
  readonly #eventLoop = new EventLoopQueue();
  readonly #gaps: GapReport;
  readonly #drainWatch = new DrainWatch();
  readonly #memoryBudget: MemoryBudget;
  readonly #durables: DurableCursors | undefined;
  readonly #counts = new LiveCounts();
  readonly #ages: EventAges;
  readonly #lagWatch: LagWatch;
  readonly #servers = new Map<Server, ConnectionLimit>();
  #context: ViewerContext | undefined;
  #isDraining = false;
  #lastChannel = 0;

  constructor(deps: LiveTierDeps, transports: readonly Transport[]) {
    this.#deps = deps;
    this.#transports = transports;
    const { telemetry, stores, settings } = deps;
    this.options = { ...defaultOptions, ...deps.options };
    this.viewers = new ViewerRegistry(
      transports.map(({ name }) => name),
      this.options.heartbeatMs,
    );
    this.viewers.onEnded = () => this.#counts.ended++;
    this.#security = new SecurityLog(telemetry);
    const authenticate = deps.authenticate ?? authenticateNobody;
    this.admission = new ViewerAdmission(this.options, authenticate, this.#security, () => this.viewers.size);
    this.#gaps = createGapReport(telemetry, [
      { consumer: 'live events', topic: topics.events },
      { consumer: 'live correlations', topic: topics.correlations },
    ]);
    this.#memoryBudget = new MemoryBudget(settings.LIVE_TOTAL_BUFFER_BYTES ?? defaultTotalBudget);
    this.#durables =
      stores &&
      new DurableCursors({
        records: stores.records,
        logger: telemetry.logger,
        expireMs: this.options.durableExpireMs,
        namesPerPrincipal: this.options.durableNames,
        totalBytes: this.options.durableBytes,
      });
    this.#ages = new EventAges(telemetry, 'sent');
    this.#lagWatch = new LagWatch({
      log: deps.log,
      telemetry,
      consumers: () =>
        this.#streams.map(({ kind: { topic }, position }) => ({
          group: 'fanout',
          topic,
          positions: position,
        })),
    });
    registerLiveMetrics(telemetry, {
      viewers: () => this.viewers.counts(),
      connections: () => {
        const limits = [...this.#servers.values()];
        return {
          open: limits.reduce((sum, { size }) => sum + size, 0),
          cut: limits.reduce((sum, { cut }) => sum + cut, 0),
        };
      },
      streams: () => [...this.#streams, ...(this.#context === undefined ? [] : [this.#context.visible])],
      maxViewers: this.options.maxViewers,
      waitingHandshakes: () => this.admission.waitingHandshakes,
      counts: this.#counts,
      memory: this.#memoryBudget,
      visibleBehind: () => this.#context?.visible.behind ?? 0,
    });
  }

  /**
   * Adds the routes of every transport and /live/durable. All other upgrades on this server are refused, so nothing else may handle
   * upgrades.
   */
  attach(app: FastifyInstance): void {
    const { maxConnections, maxViewers, maxHandshakes, heartbeatMs } = this.options;
    const max = maxConnections ?? connectionBudget(maxViewers, maxHandshakes);
    const connections = new ConnectionLimit(app.server, max);
    this.#servers.set(app.server, connections);
    const context = {
      app,
      connections,
      admission: this.admission,
      viewers: this.viewers,
      counts: this.#counts,
      heartbeatMs,
      contextFor: (principal: Principal, request: IncomingMessage) => this.contextFor(principal, request),
    };
    for (const transport of this.#transports) transport.attach(context);
    attachDurables(context);
  }

  /**
   * Follows the log until the signal aborts, then drains: viewers get events until it is their turn to leave. `onReady` is called when
   * viewers may connect. When a topic is recreated, every viewer is sent away and may reconnect at once; it is then told that its cursors
   * are void. Rejects when the log fails.
   */
  async run(signal: AbortSignal, onReady: () => void = () => {}): Promise<void> {
    for (;;) {
      try {
        return await this.#run(signal, onReady);
      } catch (error) {
        const isRecreated = error instanceof EventLogError && error.code === 'topic-recreated';
        // One process of several is replaced as a whole.
        if (!isRecreated || signal.aborted || this.options.othersServe) throw error;
        this.#deps.telemetry.logger.error({ err: error }, 'the live tier restarts on the recreated topic');
      }
    }
  }

  async #run(signal: AbortSignal, onReady: () => void): Promise<void> {
    this.viewers.startHeartbeats();
    const failed = new AbortController();
    const drained = new AbortController();
    const stop = AbortSignal.any([signal, failed.signal]);
    let following: Promise<void>[] = [];
    try {
      const [events, correlations] = [
        await openStream(this.#streamOptions(eventsStream), stop),
        await openStream(this.#streamOptions(correlationsStream), stop),
      ];
      this.#context = {
        streams: { events, correlations },
        visible: this.#openVisible(events, correlations),
        eventLoop: this.#eventLoop,
        drainWatch: this.#drainWatch,
        memoryBudget: this.#memoryBudget,
        viewerBudgetBytes: this.#deps.settings.LIVE_BUFFER_BYTES,
        limits: this.options.limits,
        logger: this.#deps.telemetry.logger,
        serde: this.#deps.serde,
        counts: this.#counts,
        durables: this.#durables,
      };
      // A restart on a recreated topic does not end a drain.
      this.admission.state = this.#isDraining ? 'draining' : 'open';
      void this.#lagWatch.run(drained.signal);
      if (!stop.aborted) onReady();
      following = this.#streams.map((stream) => stream.follow(drained.signal));
      for (const follow of following) follow.catch(() => failed.abort());
      if (!stop.aborted) await once(stop, 'abort');
    } catch (error) {
      // The signal aborted while it waited for the log.
      if (!isPassing(error) || !signal.aborted) throw error;
    } finally {
      await this.#drain(signal.aborted ? 'shutdown' : 'restart');
      await this.#durables?.save();
      this.#context?.visible.close();
      drained.abort();
    }
    for (const result of await Promise.allSettled(following)) {
      // What could not be decoded any more viewers get elsewhere, at their cursors.
      const isGivenUp = result.status === 'rejected' && signal.aborted && result.reason === signal.reason;
      if (result.status === 'rejected' && !isGivenUp) throw result.reason;
    }
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Empties the tier while run() goes on: the next signal then finds few viewers, or none. */
  async drain(overMs: number): Promise<number> {
    if (!this.#isDraining) {
      this.#isDraining = true;
      this.admission.state = 'draining';
      // They are told when it is their turn, and reconnect at once: another node takes them.
      const options = { ...this.options, drainMs: overMs, othersServe: true };
      void drainViewers(this.viewers, this.#transports, 'restart', options, () => this.#flushAll());
    }
    return this.viewers.size;
  }

  /** The environment of a principal's subscriptions. The tier must be open. */
  contextFor({ subject, filter, name, isCanary }: Principal, request?: IncomingMessage): ViewerContext {
    if (isCanary === true) return { ...this.#context!, principal: subject!, isCanary };
    const { auditReads } = this.options;
    if (subject === undefined && !auditReads) return this.#context!;
    const address = request && this.admission.addressOf(request);
    return {
      ...this.#context!,
      ...(subject === undefined ? {} : { principal: subject }),
      ...(filter === undefined ? {} : { imposed: filter }),
      ...(auditReads ? { onSubscribe: this.#auditFor(name, address) } : {}),
    };
  }

  /** Logs each subscription with its principal. */
  #auditFor(subject: string | undefined, address: string | undefined): (request: SubscribeRequest) => void {
    return ({ stream, filter }) => this.#security.read(`live ${stream}`, filter, { subject, address });
  }

  get #streams(): LiveStream[] {
    return this.#context === undefined ? [] : Object.values(this.#context.streams);
  }

  #streamOptions(kind: StreamKind): Parameters<typeof openStream>[0] {
    const { log, serde, settings, telemetry, stores } = this.#deps;
    const { readBack, ringItems, ringBytes } = this.options;
    return {
      kind,
      log,
      serde,
      logger: telemetry.logger,
      tracing: telemetry.tracing,
      flushMs: settings.LIVE_FLUSH_MS,
      nextChannelId: () => ++this.#lastChannel,
      eventLoop: this.#eventLoop,
      gaps: this.#gaps,
      ages: kind === eventsStream ? this.#ages : undefined,
      // The archive has no log places for correlations.
      archive: kind === eventsStream ? stores?.archive : undefined,
      readBack,
      ringItems,
      ringBytes,
    };
  }

  #openVisible(events: LiveStream, correlations: LiveStream): VisibleCorrelations {
    const { settings, stores, telemetry } = this.#deps;
    const { ringItems, ringBytes } = this.options;
    const eventLoop = this.#eventLoop;
    return new VisibleCorrelations({
      correlations,
      members: new MemberReader({ events, eventLoop, archive: stores?.archive }),
      eventLoop,
      logger: telemetry.logger,
      flushMs: settings.LIVE_FLUSH_MS,
      nextChannelId: () => ++this.#lastChannel,
      ringItems: Math.ceil(ringItems / visibleShare),
      ringBytes: Math.ceil(ringBytes / visibleShare),
    });
  }

  async #drain(reason: DrainReason): Promise<void> {
    this.admission.state = 'draining';
    // New connections go to the other processes.
    if (this.options.othersServe) for (const server of this.#servers.keys()) server.close();
    await drainViewers(this.viewers, this.#transports, reason, this.options, () => this.#flushAll());
  }

  #flushAll(): void {
    for (const stream of this.#streams) stream.flushAll();
    this.#context?.visible.flushAll();
  }
}
