import type { EventLog } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import type { Settings } from '@logloom/settings';
import type { Telemetry } from '@logloom/telemetry';
import type { FastifyInstance } from 'fastify';
import { setTimeout as sleep } from 'node:timers/promises';
import { correlationsStream } from './correlations-stream.ts';
import { DrainWatch } from './drain-watch.ts';
import type { LiveErrorCode } from './errors.ts';
import { eventsStream } from './events-stream.ts';
import { Heartbeats } from './heartbeats.ts';
import { attachSse } from './live-sse.ts';
import { LiveStream } from './live-stream.ts';
import { attachWebSocket } from './live-web-socket.ts';
import type { SessionContext } from './session.ts';
import type { SseViewer } from './sse-viewer.ts';
import type { StreamKind } from './stream-kind.ts';
import { registerLiveMetrics } from './telemetry.ts';
import { Turns } from './turns.ts';
import type { WebSocketViewer } from './web-socket-viewer.ts';

export interface LiveTierDeps {
  log: EventLog;
  serde: Serde;
  settings: Pick<Settings, 'LIVE_FLUSH_MS' | 'LIVE_BUFFER_BYTES'>;
  telemetry: Telemetry;
  options?: Partial<LiveTierOptions>;
}

export interface LiveTierOptions {
  heartbeatMs: number;
  /** Connections over this are refused with 503. */
  maxViewers: number;
  /** Viewers are told to come back at a time spread over so long. */
  retrySpreadMs: number;
  /** The longest that a drain takes before it cuts who is left. */
  drainMs: number;
  /** Records a partition that are read back at the start. */
  readBack: number;
  /** What each stream keeps in memory for viewers who come back. */
  ringItems: number;
  ringBytes: number;
}

const defaults: LiveTierOptions = {
  heartbeatMs: 15_000,
  maxViewers: 20_000,
  retrySpreadMs: 5_000,
  drainMs: 3_000,
  readBack: 5_000,
  ringItems: 50_000,
  ringBytes: 64 * 2 ** 20,
};

type AnyViewer = WebSocketViewer | SseViewer;

/** The live tier: attach() it to the viewers' server, then run() it. */
export class LiveTier {
  readonly options: LiveTierOptions;
  readonly #deps: LiveTierDeps;
  readonly #turns = new Turns();
  readonly #drainWatch = new DrainWatch();
  readonly #heartbeats: Heartbeats<AnyViewer>;
  readonly #viewers = { websocket: new Set<WebSocketViewer>(), sse: new Set<SseViewer>() };
  #state: 'starting' | 'open' | 'draining' = 'starting';
  #session: SessionContext | undefined;
  #lastChannel = 0;

  constructor(deps: LiveTierDeps) {
    this.#deps = deps;
    this.options = { ...defaults, ...deps.options };
    this.#heartbeats = new Heartbeats(this.options.heartbeatMs);
    registerLiveMetrics(deps.telemetry, {
      viewers: () => ({ websocket: this.#viewers.websocket.size, sse: this.#viewers.sse.size }),
      streams: () => this.#streams,
    });
  }

  /** Adds /live (WebSocket) and /live/sse. All other upgrades on this server are refused: nothing else may handle them. */
  attach(app: FastifyInstance): void {
    attachWebSocket(app.server, this);
    attachSse(app, this);
  }

  /** Follows the log until the signal aborts, then drains; `onReady` is called when viewers may come. Rejects when the log fails. */
  async run(signal: AbortSignal, onReady: () => void = () => {}): Promise<void> {
    const failed = new AbortController();
    const stop = AbortSignal.any([signal, failed.signal]);
    try {
      const [events, correlations] = [
        await this.#open(eventsStream, stop),
        await this.#open(correlationsStream, stop),
      ];
      this.#session = {
        streams: { events, correlations },
        turns: this.#turns,
        drainWatch: this.#drainWatch,
        budget: this.#deps.settings.LIVE_BUFFER_BYTES,
        logger: this.#deps.telemetry.logger,
      };
      this.#state = 'open';
      if (!stop.aborted) onReady();
      const following = this.#streams.map((stream) => stream.follow(stop));
      for (const follow of following) follow.catch(() => failed.abort());
      const results = await Promise.allSettled(following);
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    } finally {
      await this.#drain();
    }
  }

  /** Why a new viewer is refused at present; undefined when it is welcome. */
  refusal(): LiveErrorCode | undefined {
    if (this.#state === 'starting') return 'starting';
    if (this.#state === 'draining') return 'draining';
    const { websocket, sse } = this.#viewers;
    return websocket.size + sse.size >= this.options.maxViewers ? 'too-many-viewers' : undefined;
  }

  /** What sessions work with; there is one whenever refusal() gives none. */
  get session(): SessionContext {
    return this.#session!;
  }

  /** Counts a viewer in; gives the function that counts it out. */
  admit(transport: 'websocket', viewer: WebSocketViewer): () => void;
  admit(transport: 'sse', viewer: SseViewer): () => void;
  admit(transport: 'websocket' | 'sse', viewer: AnyViewer): () => void {
    const viewers = this.#viewers[transport] as Set<AnyViewer>;
    viewers.add(viewer);
    const stopHeartbeat = this.#heartbeats.add(viewer);
    return () => {
      viewers.delete(viewer);
      stopHeartbeat();
    };
  }

  get #streams(): LiveStream[] {
    return this.#session === undefined ? [] : Object.values(this.#session.streams);
  }

  #open(kind: StreamKind, signal: AbortSignal): Promise<LiveStream> {
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
        readBack,
        ringItems,
        ringBytes,
      },
      signal,
    );
  }

  /** Sends what is waiting, says goodbye, closes in waves so that viewers do not all come back at once, and cuts who is left. */
  async #drain(): Promise<void> {
    this.#state = 'draining';
    this.#heartbeats.stop();
    for (const stream of this.#streams) stream.flushAll();
    const viewers = [...this.#viewers.websocket, ...this.#viewers.sse];
    for (const viewer of viewers)
      viewer.goodbye('shutdown', Math.round(Math.random() * this.options.retrySpreadMs));
    const deadline = performance.now() + this.options.drainMs;
    const waves = 10;
    const perWave = Math.ceil(viewers.length / waves);
    for (let first = 0; first < viewers.length; first += perWave) {
      for (const viewer of viewers.slice(first, first + perWave)) viewer.close();
      if (first + perWave < viewers.length) await sleep(this.options.drainMs / 2 / waves);
    }
    while (this.#viewerCount > 0 && performance.now() < deadline) await sleep(10);
    for (const viewer of [...this.#viewers.websocket, ...this.#viewers.sse]) viewer.terminate();
  }

  get #viewerCount(): number {
    return this.#viewers.websocket.size + this.#viewers.sse.size;
  }
}

/** Makes a live tier; attach() it to the viewers' server, then run() it. */
export function createLiveTier(deps: LiveTierDeps): LiveTier {
  return new LiveTier(deps);
}
