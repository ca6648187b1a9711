import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { startStack } from '../../infra/local/start-stack.ts';
import { Pipeline } from './pipeline.ts';

const redis = await startStack({ only: ['redis'] });
after(() => redis.stop());

interface Connection {
  /** The numbers of the events that came, in order. */
  seen: number[];
  /** What was known to be kept, and what it may at most be, when the connection began; -1: nothing. */
  confirmedBefore: number;
  ackedBefore: number;
}

/** A named viewer that keeps no cursor of its own: after each loss of its connection it continues where the server says. */
class NamedViewer {
  readonly connections: Connection[] = [];
  readonly troubles: string[] = [];
  confirmed = -1;
  #acked = -1;
  readonly #url: string;
  readonly #numbers = new Map<string, number>();
  #ws: WebSocket | undefined;

  constructor(url: string) {
    this.#url = url;
    this.#connect();
  }

  get last(): number {
    return Math.max(-1, ...this.connections.flatMap(({ seen }) => seen.at(-1) ?? -1));
  }

  leave(): void {
    const ws = this.#ws;
    this.#ws = undefined;
    ws?.terminate();
  }

  #connect(): void {
    const ws = new WebSocket(this.#url, { perMessageDeflate: false });
    this.#ws = ws;
    const seen: number[] = [];
    ws.on('error', () => {});
    ws.on('close', () => setTimeout(() => this.#ws === ws && this.#connect(), 100));
    ws.on('open', () => {
      this.connections.push({ seen, confirmedBefore: this.confirmed, ackedBefore: this.#acked });
      ws.send(
        JSON.stringify({
          type: 'subscribe',
          id: 'a',
          filter: 'service:kept',
          durable: 'billing',
          from: 'now',
        }),
      );
    });
    ws.on('message', (data: Buffer) => {
      const text = data.toString();
      const { type, cursor, events } = JSON.parse(text) as {
        type: string;
        cursor?: string;
        events?: { message: string }[];
      };
      if (type === 'gap' || type === 'error') this.troubles.push(text);
      if (type === 'acked') this.confirmed = Math.max(this.confirmed, this.#numbers.get(cursor!)!);
      if (events === undefined || events.length === 0) return;
      seen.push(...events.map(({ message }) => Number(message.slice(1))));
      this.#acked = Math.max(this.#acked, seen.at(-1)!);
      this.#numbers.set(cursor!, seen.at(-1)!);
      ws.send(JSON.stringify({ type: 'ack', id: 'a', cursor }));
    });
  }
}

for (const [store, kills, settings] of [
  ['SQLite', 3, {}],
  ['Redis', 2, { REDIS_URL: redis.env['REDIS_URL'] ?? '' }],
] as const) {
  const skip = store === 'Redis' && (redis.missing.redis ?? false);
  test(
    `a named viewer's cursor on ${store} survives kill -9: nothing lost, nothing that was confirmed comes again`,
    { skip },
    async () => {
      await using pipeline = await Pipeline.create(settings);
      await pipeline.start();
      const viewer = new NamedViewer(`${pipeline.viewersUrl.replace('http', 'ws')}/live`);
      let sent = 0;
      let isOver = false;
      const sending = (async () => {
        while (!isOver) {
          const headers = { 'logloom-producer': 'kept', 'logloom-sequence': String(sent) };
          const body = JSON.stringify({ service: 'kept', message: `n${sent}` });
          // What was not answered is sent again; no copy of it reaches a viewer.
          const isAccepted = await pipeline.ingest(body, headers).then(
            ({ ok }) => ok,
            () => false,
          );
          if (isAccepted) sent++;
          await sleep(isAccepted ? 5 : 100);
        }
      })();
      try {
        for (let kill = 0; kill < kills; kill++) {
          const before = viewer.confirmed;
          await eventually('something is confirmed', async () => viewer.confirmed > before + 20);
          await pipeline.end('SIGKILL');
          await pipeline.start();
        }
        const before = viewer.confirmed;
        await eventually('it continues', async () => viewer.confirmed > before + 20);
      } finally {
        isOver = true;
        await sending;
      }
      await eventually('it has the last one', async () => viewer.last === sent - 1);
      viewer.leave();

      assert.deepEqual(viewer.troubles, []);
      const connections = viewer.connections.filter(({ seen }) => seen.length > 0);
      assert.ok(connections.length > kills, `${connections.length} connections`);
      for (const { seen, confirmedBefore, ackedBefore } of connections) {
        const [first = 0] = seen;
        assert.deepEqual(
          seen,
          seen.map((_, i) => first + i),
        );
        if (ackedBefore < 0) continue;
        assert.ok(first > confirmedBefore, `${first} came again, ${confirmedBefore} was confirmed`);
        assert.ok(first <= ackedBefore + 1, `${first} came after ${ackedBefore}`);
      }
    },
  );
}
