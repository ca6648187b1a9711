import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readAll } from '../contract/harness.ts';
import { SqliteEventLog } from './sqlite-event-log.ts';

const folder = temporaryFolder('event-log-kill').path;
after(() => rmSync(folder, { recursive: true }));

const partitions = 3;
const kills = 20;

/**
 * Appends batches of random size and content without end. Each value begins with its batch's name and size, so that a batch stored
 * in part is recognised. A batch is printed, with offsets and hashes, when it was acknowledged and not before. With `joins`, everything but
 * the last row of each partition is joined all the time.
 */
const writer = `
  import { createHash, randomBytes, randomInt, randomUUID } from 'node:crypto';
  import { writeSync } from 'node:fs';
  const [module, folder, topic, partitions, joins] = process.argv.slice(1);
  const { SqliteEventLog } = await import(module);
  const log = new SqliteEventLog(folder);
  if (joins === 'joins') {
    const { BatchJoiner } = await import(new URL('./batch-joiner.ts', module));
    const joiner = new BatchJoiner();
    const target = { path: folder + '/' + topic + '.db', partitions: Number(partitions) };
    (async () => {
      for (;;) {
        await joiner.join(target, { appendedBefore: Infinity }, new AbortController().signal);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })();
  }
  for (;;) {
    const name = randomUUID();
    const size = randomInt(1, 60);
    const records = Array.from({ length: size }, () => ({
      partition: randomInt(Number(partitions)),
      key: null,
      value: Buffer.concat([Buffer.from(name + ' ' + size + ' '), randomBytes(randomInt(2000))]),
    }));
    const offsets = await log.append(topic, records);
    const lines = records.map((r, i) => [r.partition, offsets[i], createHash('sha256').update(r.value).digest('hex')].join(' '));
    writeSync(1, lines.join('\\n') + '\\n');
    if (joins === 'joins') await new Promise((resolve) => setTimeout(resolve, randomInt(5)));
  }`;

const hash = (value: Buffer): string => createHash('sha256').update(value).digest('hex');

/** Lets a writer work until some batches are acknowledged and a random moment more, then kills it; returns the complete lines. */
async function writeAndKill(topic: string, joins: string): Promise<string[]> {
  const module = new URL('./sqlite-event-log.ts', import.meta.url).href;
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', writer, module, folder, topic, `${partitions}`, joins],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>;
  let output = '';
  const enough = Promise.withResolvers<void>();
  const wanted = randomInt(1, 100);
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (output.split('\n').length > wanted) enough.resolve();
  });
  const closed = once(child.stdout, 'close');
  await Promise.race([enough.promise, exited]);
  await sleep(randomInt(30));
  child.kill('SIGKILL');
  assert.deepEqual(await exited, [null, 'SIGKILL'], 'the writer ended by itself');
  await closed;
  return output.split('\n').slice(0, -1);
}

for (const joins of ['', 'joins'])
  test(`nothing acknowledged is lost or changed by ${kills} kills, and no batch is there in part${joins && ', while rows are joined'}`, () =>
    killAgainAndAgain(`killed-${joins}`, joins));

async function killAgainAndAgain(topic: string, joins: string): Promise<void> {
  const setUp = new SqliteEventLog(folder);
  await setUp.createTopics([{ name: topic, partitions }]);
  await setUp.close();
  const acknowledged: string[] = [];

  for (let kill = 0; kill < kills; kill++) {
    const lines = await writeAndKill(topic, joins);
    assert.ok(lines.length > 0);
    acknowledged.push(...lines);

    const log = new SqliteEventLog(folder);
    const stored = new Map<string, string>();
    const batches = new Map<string, { size: number; found: number }>();
    for (let partition = 0; partition < partitions; partition++) {
      const records = await readAll(log, topic, partition);
      assert.deepEqual(
        records.map((r) => r.offset),
        records.map((_, i) => i),
        'offsets have no holes',
      );
      assert.equal((await log.endOffsets(topic))[partition], records.length);
      for (const record of records) {
        stored.set(`${partition} ${record.offset}`, hash(record.value));
        const [name, size] = record.value.subarray(0, 50).toString('latin1').split(' ') as [string, string];
        const batch = batches.get(name) ?? { size: Number(size), found: 0 };
        batch.found++;
        batches.set(name, batch);
      }
    }
    await log.close();

    for (const line of acknowledged) {
      const [partition, offset, expected] = line.split(' ');
      assert.equal(stored.get(`${partition} ${offset}`), expected, `acknowledged: ${line}`);
    }
    for (const [name, { size, found }] of batches)
      assert.equal(found, size, `batch ${name} is there in part`);
  }
  const db = new DatabaseSync(join(folder, `${topic}.db`), { readOnly: true });
  const { joined } = db.prepare('SELECT count(*) AS joined FROM p0 WHERE format = 2').get() as {
    joined: number;
  };
  db.close();
  assert.equal(joined > 0, joins !== '');
}
