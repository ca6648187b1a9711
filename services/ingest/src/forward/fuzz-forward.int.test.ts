import { eventually, freePort } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { EventTime, ForwardClient, pack } from '../testing/forward-client.ts';
import { HeapWatch } from '../testing/heap-watch.ts';
import { readDeadLetters, readEvents, startForTest, temporaryFolder } from '../testing/ingest-harness.ts';
import { mutate, seededRandom, type Random } from '../testing/mutate.ts';

// FUZZ_INPUTS=1000000 makes it a long run; FUZZ_SEED repeats one.
const inputs = Number(process.env['FUZZ_INPUTS'] ?? 500);
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);
const atOnce = 16;
const inputsOfRound = 20_000;

const record = {
  message: 'm',
  level: 'warn',
  service: 's',
  trace_id: 't',
  nested: { list: [1, null, true, 2.5] },
};
const entry = [new EventTime(1_767_225_600, 5), record];
const packed = Buffer.concat([pack(entry), pack(entry)]);
const seeds = [
  pack(['tag', new EventTime(1_767_225_600, 5), record, { chunk: 'c' }]),
  pack(['tag', [entry, entry, entry], { chunk: 'c', size: 3 }]),
  pack(['tag', packed, { chunk: 'c' }]),
  pack(['tag', gzipSync(packed), { chunk: 'c', compressed: 'gzip' }]),
];

async function round(count: number, random: Random): Promise<void> {
  using folder = temporaryFolder();
  const good: string[] = [];
  let counted = 0;
  {
    const port = await freePort();
    await using service = await startForTest(folder.path, { FORWARD_PORT: String(port) });
    let sent = 0;
    const work = async (): Promise<void> => {
      while (sent < count) {
        const n = sent++;
        const client = await ForwardClient.open(port);
        if (n % 4 > 0) {
          const bytes = mutate(seeds[random(seeds.length)]!, seeds[random(seeds.length)]!, random);
          if (random(4) === 0) client.socket.destroySoon();
          await client.end(bytes);
          continue;
        }
        good.push(`good ${n}`);
        const answer = await client.end(pack(['tag', [[1, { message: `good ${n}` }]], { chunk: `c${n}` }]));
        assert.ok(answer.includes(`c${n}`), 'a good chunk is acknowledged');
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    const valueOf = async (name: string): Promise<number> =>
      (await service.telemetry.registry.getSingleMetric(name)!.get()).values.reduce(
        (sum, { value }) => sum + value,
        0,
      );
    await eventually(
      'no connection is left',
      async () => (await valueOf('logloom_ingest_stream_connections')) === 0,
    );
    assert.equal(await valueOf('logloom_ingest_pending_bytes'), 0);
    counted =
      (await valueOf('logloom_ingest_events_total')) +
      (await valueOf('logloom_ingest_rejected_events_total'));
  }
  const events = await readEvents(folder.path);
  const deadLetters = await readDeadLetters(folder.path);
  assert.equal(events.length + deadLetters.length, counted);
  for (const { attributes } of events) assert.equal(typeof JSON.parse(attributes), 'object');
  const found = events.filter(({ message }) => message.startsWith('good ')).map(({ message }) => message);
  assert.deepEqual(found.sort(), good.sort());
}

test(`${inputs} malformed messages of Fluent Forward, seed ${seed}: the good ones beside them are intact`, async (t) => {
  const random = seededRandom(seed);
  const heap = new HeapWatch();
  for (let done = 0; done < inputs; done += inputsOfRound) {
    await round(Math.min(inputsOfRound, inputs - done), random);
    t.diagnostic(`after ${done + inputsOfRound}: ${heap.look()}`);
  }
});
