import { Supervisor } from '@logloom/fanout';
import { connectLog } from '@logloom/runtime';
import { topics, type LogEvent } from '@logloom/schemas';
import { parseSettings } from '../../apps/logloom/src/settings.ts';
import { createTelemetry } from '@logloom/telemetry';
import fastify from 'fastify';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Worker processes on one port, as the one-process mode starts them, on a SQLite log of one partition that this process writes. */
export class Fleet implements AsyncDisposable {
  readonly port: number;
  readonly supervisor: Supervisor;
  sent = 0;
  readonly #stop: AbortController;
  readonly #running: Promise<void>;
  readonly #connection: Awaited<ReturnType<typeof connectLog>>;
  readonly #folder: string;

  static async open(workers: number, host: string, drainMs: number): Promise<Fleet> {
    const folder = mkdtempSync(join(tmpdir(), 'live-fleet-'));
    const probe = createServer().listen(0, host);
    await new Promise((resolve) => probe.once('listening', resolve));
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    const settings = parseSettings({
      HOST: host,
      LOGLOOM_DATA: folder,
      LIVE_WORKERS: String(workers),
      LIVE_PORT: String(port),
      LIVE_DRAIN_MS: String(drainMs),
      LOG_PARTITIONS: '1',
      LOG_LEVEL: 'error',
    });
    const connection = await connectLog(settings);
    const stop = new AbortController();
    const ready = Promise.withResolvers<void>();
    const supervisor = await Supervisor.open({
      settings,
      telemetry: createTelemetry('bench', 'error'),
      tracing: undefined,
      isOneOfMany: false,
      service: 'fanout',
      app: fastify({ logger: false }),
      signal: stop.signal,
      onReady: ready.resolve,
    });
    const running = supervisor.run();
    running.catch(ready.reject);
    await ready.promise;
    return new Fleet(port, supervisor, stop, running, connection, folder);
  }

  private constructor(
    port: number,
    supervisor: Supervisor,
    stop: AbortController,
    running: Promise<void>,
    connection: Awaited<ReturnType<typeof connectLog>>,
    folder: string,
  ) {
    this.port = port;
    this.supervisor = supervisor;
    this.#stop = stop;
    this.#running = running;
    this.#connection = connection;
    this.#folder = folder;
  }

  /** Appends `perSecond` events a second until the promise settles. */
  async produceUntil(perSecond: number, end: Promise<unknown>): Promise<void> {
    let isEnd = false;
    void end.finally(() => (isEnd = true));
    const first = performance.now();
    for (let n = 0; !isEnd; n++) {
      await this.#append();
      await sleep(Math.max(0, first + ((n + 1) * 1000) / perSecond - performance.now()));
    }
  }

  async #append(): Promise<void> {
    const { log, serde } = this.#connection;
    const value = serde.encode('LogEvent', eventOf(this.sent++));
    await log.append(topics.events, [{ partition: 0, key: null, value }]);
    this.supervisor.workers.appended(topics.events);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#connection[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true });
  }
}

function eventOf(n: number): LogEvent {
  return {
    source: { kind: 'http', topic: 'bench', partition: 0, offset: n, index: 0 },
    timestamp: Date.now() * 1000,
    receivedAt: Date.now(),
    level: 'info',
    service: 'web',
    host: null,
    message: `GET /api/v1/orders/${n} answered 200`,
    correlationId: `request-${n}`,
    correlationKind: 'requestId',
    traceId: null,
    spanId: null,
    attributes: `{"t":${Date.now() * 1000},"n":${n}}`,
  };
}
