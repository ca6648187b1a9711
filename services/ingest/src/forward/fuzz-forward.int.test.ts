import { eventually, freePort } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { EventTime, ForwardClient, pack } from '../testing/forward-client.ts';
import { assertGoodOnes, FuzzRun } from '../testing/fuzz-run.ts';
import { startForTest, temporaryFolder } from '../testing/ingest-harness.ts';
import { mutate, type Random } from '../testing/mutate.ts';

const run = new FuzzRun(500, process.env);
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
    await eventually(
      'no connection is left',
      async () => (await service.sumOf('logloom_ingest_stream_connections')) === 0,
    );
    assert.equal(await service.sumOf('logloom_ingest_pending_bytes'), 0);
    counted = await service.countedEvents();
  }
  await assertGoodOnes(folder.path, counted, good);
}

test(`${run.inputs} malformed messages of Fluent Forward, seed ${run.seed}: the good ones beside them are intact`, (t) =>
  run.rounds(t, inputsOfRound, round));
