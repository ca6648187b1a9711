import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pipeline } from '../../../tests/pipeline/pipeline.ts';
import { LiveClient } from './index.js';

const perRound = 400;

/** Numbered events through whatever happens to the server: a batch is repeated, under the same numbers, until it is taken. */
async function send(pipeline: Pipeline, first: number): Promise<void> {
  for (let n = first; n < first + perRound; n += 20) {
    const lines = Array.from({ length: 20 }, (_, i) =>
      JSON.stringify({
        service: `s${i % 5}`,
        message: `n${n + i}`,
        level: n % 3 === 0 ? 'error' : 'info',
        n: n + i,
      }),
    );
    const headers = { 'logloom-producer': 'numbered', 'logloom-sequence': String(n) };
    while ((await pipeline.ingest(lines.join('\n'), headers).catch(() => undefined))?.ok !== true)
      await sleep(100);
  }
}

test('each event once, in order, while the server is killed, drained and started, and the viewer starts anew too', async () => {
  await using pipeline = await Pipeline.create();
  await pipeline.start();
  const url = `${pipeline.viewersUrl.replace('http', 'ws')}/live`;
  const seen: { n: number; partition: number; offset: number }[] = [];
  const others: string[] = [];
  let cursor: string | undefined;

  /** One life of the viewer's program: it reads up to `count` events, then is gone with what it had received but not read. */
  const view = async (count: number): Promise<void> => {
    const stop = new AbortController();
    const client = new LiveClient({ url, signal: stop.signal });
    const from = cursor === undefined ? ({ last: '1h' } as const) : { cursor };
    // A bound this small also makes the client let go of its subscription and take it up again.
    const watch = client.watch({ filter: 'service:s*', from }, { maxQueued: 30 });
    client.connect();
    for await (const entry of watch) {
      if (entry.type !== 'event') others.push(JSON.stringify(entry));
      else {
        const { attributes, partition, offset } = entry.event;
        seen.push({ n: attributes['n'] as number, partition, offset });
        cursor = entry.cursor;
        if (--count === 0) break;
      }
    }
    stop.abort();
  };

  let sent = 0;
  for (const end of ['SIGKILL', 'SIGTERM'] as const) {
    const sending = send(pipeline, sent);
    sent += perRound;
    const viewing = (async () => {
      for (const count of [93, 111, 7, 189]) await view(count);
    })();
    while (seen.length < sent - perRound / 2) await sleep(20);
    await pipeline.end(end);
    await pipeline.start();
    await Promise.all([sending, viewing]);
  }

  assert.deepEqual(others, [], 'no gap, nothing unknown');
  assert.deepEqual(
    seen.map(({ n }) => n).toSorted((a, b) => a - b),
    Array.from({ length: sent }, (_, n) => n),
  );
  const last = new Map<number, number>();
  for (const { partition, offset } of seen) {
    assert.ok(offset > (last.get(partition) ?? -1), `partition ${partition} is in order`);
    last.set(partition, offset);
  }

  // The server keeps a named viewer's place, over a kill too: it continues after what was acknowledged.
  const named: number[][] = [[], []];
  for (const part of named) {
    const stop = new AbortController();
    const client = new LiveClient({ url, signal: stop.signal });
    let kept: string | undefined;
    const wanted = {
      filter: 'service:s*',
      durable: 'billing',
      ...(part === named[0] && { from: { last: '1h' } }),
    };
    const watch = client.watch(wanted, { onAcked: (cursor) => (kept = cursor) });
    client.connect();
    for await (const entry of watch) {
      if (entry.type === 'event') part.push(entry.event.attributes['n'] as number);
      if (part.length + named[0]!.length * Number(part !== named[0]) === sent) break;
      if (part !== named[0] || part.length < sent / 2 || entry.type !== 'event' || entry.cursor.includes('@'))
        continue;
      // The end of a batch past the middle.
      watch.ack();
      while (kept !== entry.cursor) await sleep(20);
      break;
    }
    stop.abort();
    if (part === named[0]) {
      await pipeline.end('SIGKILL');
      await pipeline.start();
    }
  }
  assert.ok(named[0]!.length >= sent / 2);
  assert.deepEqual(
    named.flat().toSorted((a, b) => a - b),
    Array.from({ length: sent }, (_, n) => n),
  );
});
