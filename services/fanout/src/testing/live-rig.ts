import { authenticateNobody, type Authenticate } from '@logloom/auth';
import { SqliteEventLog } from '@logloom/event-log';
import { respondWithErrors, serverOptions } from '@logloom/runtime';
import '@logloom/runtime/testing/hold-contract';
import { createEmbeddedSchemaRegistry, createSerde, type Serde } from '@logloom/schema-registry';
import { topics, type Correlation, type Level, type LogEvent } from '@logloom/schemas';
import { parseSettings } from '../settings.ts';
import { createTelemetry, type Logger, type Telemetry } from '@logloom/telemetry';
import { logEvent, temporaryFolder, type LogCapture } from '@logloom/testing';
import fastify, { type FastifyInstance } from 'fastify';
import { rmSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { openLiveStores } from '../server/live-stores.ts';
import { createLiveTier } from '../server/create-live-tier.ts';
import { registerOperatorsApi } from '../server/operators-api.ts';
import type { LiveTier, LiveTierDeps } from '../server/live-tier.ts';
import type { LiveTierOptions } from '../server/live-tier-options.ts';

export interface RunningTier {
  port: number;
  tier: LiveTier;
  telemetry: Telemetry;
  /** The server's side of every open connection. */
  sockets: Set<Socket>;
  /** Drains and closes. */
  stop: () => Promise<void>;
}

/** For tests: a log in a folder of its own, and live tiers on it. */
export class LiveRig {
  static readonly partitions = 3;
  readonly log: SqliteEventLog;
  readonly serde: Serde;
  /** Stores of its own: each start has connections of its own to them, as another process would. */
  readonly folder: string;
  readonly #running = new Set<RunningTier>();
  #nextSource = 0;

  static async open(folder = temporaryFolder('live').path): Promise<LiveRig> {
    const log = new SqliteEventLog(folder);
    const names = [topics.events, topics.correlations];
    await log.createTopics(names.map((name) => ({ name, partitions: LiveRig.partitions })));
    return new LiveRig(folder, log, await createSerde(createEmbeddedSchemaRegistry()));
  }

  private constructor(folder: string, log: SqliteEventLog, serde: Serde) {
    this.folder = folder;
    this.log = log;
    this.serde = serde;
  }

  async start(
    options: Partial<LiveTierOptions> = {},
    settings: Partial<LiveTierDeps['settings']> = {},
    authenticate: Authenticate = authenticateNobody,
    requestMs = 30_000,
    logger?: LogCapture,
  ): Promise<RunningTier> {
    const app: FastifyInstance = fastify(serverOptions(requestMs));
    respondWithErrors(app);
    const sockets = new Set<Socket>();
    app.server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    const silent = createTelemetry('fanout', 'silent');
    const telemetry = logger === undefined ? silent : { ...silent, logger: logger as unknown as Logger };
    const stores = openLiveStores(parseSettings({ LOGLOOM_DATA: this.folder }));
    const tier = createLiveTier({
      log: this.log,
      serde: this.serde,
      settings: { LIVE_FLUSH_MS: 10, LIVE_BUFFER_BYTES: 1 << 20, ...settings },
      telemetry,
      stores,
      authenticate,
      options: { drainMs: 500, ...options },
    });
    tier.attach(app);
    const operators = { authenticate, settings: parseSettings({}), telemetry };
    registerOperatorsApi(app, { ...operators, node: () => tier });
    await app.listen({ host: '127.0.0.1', port: 0 });
    const stop = new AbortController();
    let running: Promise<void> | undefined;
    await new Promise<void>((resolve, reject) => {
      running = tier.run(stop.signal, resolve);
      running.catch(reject);
    });
    const started: RunningTier = {
      port: (app.server.address() as AddressInfo).port,
      tier,
      telemetry,
      sockets,
      stop: async () => {
        this.#running.delete(started);
        stop.abort();
        await running;
        await app.close();
        await stores[Symbol.asyncDispose]();
      },
    };
    this.#running.add(started);
    return started;
  }

  /** A new event; its source is the next one of the only producer of its partition. */
  event(fields: Partial<LogEvent> = {}): LogEvent {
    return logEvent(this.#nextSource++, { service: 'web', ...fields });
  }

  async append(
    events: readonly LogEvent[],
    partitionFor: (event: LogEvent) => number = () => 0,
  ): Promise<void> {
    await this.log.append(
      topics.events,
      events.map((event) => ({
        partition: partitionFor(event),
        key: null,
        value: this.serde.encode('LogEvent', event),
      })),
    );
  }

  async appendCorrelations(documents: readonly Correlation[]): Promise<void> {
    await this.log.append(
      topics.correlations,
      documents.map((document) => ({
        partition: document.partition,
        key: null,
        value: this.serde.encode('Correlation', document),
      })),
    );
  }

  async close(): Promise<void> {
    for (const tier of this.#running) await tier.stop();
    await this.log.close();
    rmSync(this.folder, { recursive: true });
  }
}

export const rigLevels: readonly Level[] = ['debug', 'info', 'warn', 'error'];
