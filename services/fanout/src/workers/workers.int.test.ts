import { connectLog } from '@logloom/runtime';
import { topics, type LogEvent } from '@logloom/schemas';
import { parseSettings } from '../settings.ts';
import { createTelemetry } from '@logloom/telemetry';
import { eventually, freePort, freeze, logEvent, temporaryFolder } from '@logloom/testing';
import fastify from 'fastify';
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startStack } from '../../../../infra/local/start-stack.ts';
import { LiveClient } from '../testing/live-client.ts';
import { Supervisor } from './supervisor.ts';

/** A viewer that comes back at its cursor: at once when it is cut off, when it is told to when it is sent away. */
class ReturningViewer {
  /** The events' numbers, in order. */
  readonly numbers: number[] = [];
  readonly goodbyes: string[] = [];
  /** Gaps and errors: what must not happen. */
  readonly troubles: unknown[] = [];
  connections = 0;
  readonly #port: number;
  #cursor: string | undefined;
  #client: LiveClient | undefined;

  constructor(port: number) {
    this.#port = port;
    this.#connect();
  }

  get isSubscribed(): boolean {
    return this.#cursor !== undefined;
  }

  leave(): void {
    const client = this.#client;
    this.#client = undefined;
    client?.ws.terminate();
  }

  #connect(): void {
    this.connections++;
    let retryAfterMs = 10;
    const client = new LiveClient(this.#port);
    this.#client = client;
    client.ws.on('open', () =>
      client.send({
        type: 'subscribe',
        id: 'a',
        from: this.#cursor === undefined ? 'now' : { cursor: this.#cursor },
      }),
    );
    client.ws.on('message', () => {
      const message = client.messages.pop()!;
      if (message.type === 'goodbye') {
        this.goodbyes.push(message.reason!);
        retryAfterMs = message.retryAfterMs!;
      }
      if (message.type === 'gap' || message.type === 'error') this.troubles.push(message);
      if (message.cursor !== undefined) this.#cursor = message.cursor;
      for (const { message: text } of message.events ?? []) this.numbers.push(Number(text.split(' ')[1]));
    });
    client.ws.on('close', () => {
      if (this.#client === client) setTimeout(() => this.#client === client && this.#connect(), retryAfterMs);
    });
  }
}

const stack = await startStack({ only: ['kafka'] });
after(() => stack.stop());

describe('several worker processes on one port', () => workersOn({}));

describe('the same on Kafka', { skip: stack.missing.kafka ?? false }, () =>
  workersOn({ KAFKA_BROKERS: stack.env['KAFKA_BROKERS']! }),
);

function workersOn(log: Record<string, string>): void {
  const folder = temporaryFolder('workers').path;
  const settings = parseSettings({
    ...log,
    LOGLOOM_DATA: folder,
    LIVE_WORKERS: '2',
    LIVE_PORT: '0',
    LIVE_DRAIN_MS: '1000',
    LIVE_WORKER_FROZEN_MS: '3000',
    LOG_PARTITIONS: '1',
    LOG_LEVEL: 'error',
  });
  const stop = new AbortController();
  let connection: Awaited<ReturnType<typeof connectLog>>;
  let supervisor: Supervisor;
  let running: Promise<void>;
  let port: number;
  let sent = 0;

  before(async () => {
    connection = await connectLog(settings);
    const app = fastify({ logger: false, forceCloseConnections: true });
    app.get('/api/hello', (request) => ({ hello: request.query }));
    app.post('/api/echo', (request, reply) => reply.code(201).header('x-test', 'kept').send(request.body));
    // A free port is known to the workers only; here it has to be known too.
    port = await freePort();
    supervisor = await Supervisor.open({
      settings: { ...settings, LIVE_PORT: port },
      telemetry: createTelemetry('fanout', 'error'),
      tracing: undefined,
      isOneOfMany: false,
      service: 'fanout',
      app,
      signal: stop.signal,
      onReady: () => (readyCalls += 1),
    });
    running = supervisor.run();
    running.catch(() => {});
    await eventually('all workers ready', () => readyCalls > 0);
  });
  let readyCalls = 0;

  after(async () => {
    stop.abort();
    try {
      await running;
    } finally {
      await connection[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    }
  });

  /** Appends events as the parent of the one-process mode does, until `until` holds. */
  async function produce(until: () => boolean): Promise<void> {
    while (!until()) {
      const events = Array.from({ length: 5 }, () => event(sent++));
      await connection.log.append(
        topics.events,
        events.map((value) => ({
          partition: 0,
          key: null,
          value: connection.serde.encode('LogEvent', value),
        })),
      );
      supervisor.workers.appended(topics.events);
      await sleep(10);
    }
  }

  /** They leave whatever happens: one that stays would connect again and again, and the test's process would never end. */
  async function withViewers(count: number, body: (viewers: ReturningViewer[]) => Promise<void>) {
    const viewers = Array.from({ length: count }, () => new ReturningViewer(port));
    try {
      await body(viewers);
    } finally {
      for (const viewer of viewers) viewer.leave();
    }
  }

  async function watched(viewerCount: number, body: (viewers: ReturningViewer[]) => Promise<void>) {
    const first = sent;
    await withViewers(viewerCount, async (viewers) => {
      await eventually('all subscribed', () => viewers.every((viewer) => viewer.isSubscribed));
      await body(viewers);
      const all = Array.from({ length: sent - first }, (_, i) => first + i);
      await eventually(
        // One may begin a little before the first: a worker follows the log.
        'every viewer has every event',
        () => viewers.every(({ numbers }) => numbers.at(-1) === sent - 1),
      );
      for (const viewer of viewers) {
        assert.deepEqual(
          viewer.numbers.filter((n) => n >= first),
          all,
        );
        assert.deepEqual(viewer.troubles, []);
      }
    });
  }

  test('each responds the same, whatever connection comes to it', async () => {
    for (let i = 0; i < 12; i++) {
      const close = { connection: 'close' };
      const url = `http://127.0.0.1:${port}`;
      const get = await fetch(`${url}/api/hello?a=1`, { headers: close });
      assert.deepEqual(await get.json(), { hello: { a: '1' } });
      const headers = { ...close, 'content-type': 'application/json' };
      const post = await fetch(`${url}/api/echo`, { method: 'POST', body: '{"b":2}', headers });
      assert.deepEqual([post.status, post.headers.get('x-test'), await post.json()], [201, 'kept', { b: 2 }]);
      assert.equal((await fetch(`${url}/nothing`, { headers: close })).status, 404);
    }
    const metrics = await supervisor.metrics();
    assert.match(metrics, /^logloom_live_workers\{.*\} 2$/m);
    assert.match(metrics, /^logloom_live_viewers\{/m);
  });

  test('a worker that is killed is replaced, and its viewers resume elsewhere with everything, once', async () => {
    await watched(60, async (viewers) => {
      const [victim] = supervisor.workers.pids;
      const returned = (): number => viewers.filter(({ connections }) => connections > 1).length;
      let killed = false;
      setTimeout(() => (killed = process.kill(victim!, 'SIGKILL')), 100);
      await produce(() => killed && returned() > 0 && supervisor.workers.readyCount === 2);
      assert.ok(!supervisor.workers.pids.includes(victim!));
    });
    assert.equal(supervisor.workers.restarts, 1);
  });

  test('a worker that is frozen is replaced within a bounded time, and its viewers come back', async () => {
    const { restarts } = supervisor.workers;
    await watched(40, async (viewers) => {
      const [victim] = supervisor.workers.pids;
      await freeze(victim!);
      // Metrics are answered though one worker is silent.
      assert.match(await supervisor.metrics(), /^logloom_live_workers\{/m);
      await produce(() => !supervisor.workers.pids.includes(victim!) && supervisor.workers.readyCount === 2);
      assert.ok(viewers.some(({ connections }) => connections > 1));
      // Whoever connects now is served, whichever worker the kernel chooses.
      await withViewers(20, (late) =>
        eventually('new viewers are served', () => late.every((viewer) => viewer.isSubscribed)),
      );
    });
    assert.equal(supervisor.workers.restarts, restarts + 1);
  });

  test('a rolling restart sends every viewer to another worker, and loses nothing', async () => {
    await watched(200, async (viewers) => {
      const before = supervisor.workers.pids;
      let isDone = false;
      const restart = supervisor.workers.restart().then(() => (isDone = true));
      await produce(() => isDone);
      await restart;
      assert.equal(supervisor.workers.pids.filter((pid) => before.includes(pid)).length, 0);
      await eventually('everyone was sent away', () => viewers.every(({ goodbyes }) => goodbyes.length > 0));
      for (const { goodbyes } of viewers) assert.ok(goodbyes.every((reason) => reason === 'restart'));
    });
    assert.equal(supervisor.workers.restarts, 2, 'a restart that was asked for is no failure');
  });

  test('a port that is in use is refused, though workers would share it', async () => {
    await assert.rejects(
      Supervisor.open({
        settings: { ...settings, LIVE_PORT: port },
        telemetry: createTelemetry('fanout', 'error'),
        tracing: undefined,
        isOneOfMany: false,
        service: 'fanout',
        app: fastify({ logger: false }),
        signal: stop.signal,
        onReady: () => {},
      }),
      { code: 'EADDRINUSE' },
    );
  });
}

function event(n: number): LogEvent {
  return logEvent(n, { service: 'web' });
}
