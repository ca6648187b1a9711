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
import { benchEvent, sentEvent } from './sent-event.ts';

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
      await this.#append([eventOf(this.sent++)]);
      await sleep(Math.max(0, first + ((n + 1) * 1000) / perSecond - performance.now()));
    }
  }

  /** Takes the load test's events at `POST /ingest`, and appends them. */
  async openIngest(): Promise<AsyncDisposable & { url: string }> {
    const app = fastify({ logger: false, bodyLimit: 1 << 26 });
    app.addContentTypeParser('application/x-ndjson', { parseAs: 'string' }, (_request, body, done) =>
      done(null, body),
    );
    app.post('/ingest', async ({ body }) => {
      const lines = typeof body === 'string' ? body.split('\n') : [];
      if (lines.length > 0) await this.#append(lines.map((line) => sentEvent(line, this.sent++)));
      return { accepted: lines.length, rejected: [] };
    });
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    return { url, [Symbol.asyncDispose]: () => app.close() };
  }

  async #append(events: readonly LogEvent[]): Promise<void> {
    const { log, serde } = this.#connection;
    await log.append(
      topics.events,
      events.map((event) => ({ partition: 0, key: null, value: serde.encode('LogEvent', event) })),
    );
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
  const receivedAt = Date.now();
  return benchEvent(n, {
    timestamp: receivedAt * 1000,
    receivedAt,
    service: 'web',
    message: `GET /api/v1/orders/${n} answered 200`,
    correlationId: `request-${n}`,
    correlationKind: 'requestId',
    attributes: `{"n":${n}}`,
  });
}
