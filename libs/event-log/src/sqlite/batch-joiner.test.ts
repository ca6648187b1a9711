import { temporaryFolder } from '@logloom/testing';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { rmSync, mkdtempSync } from 'node:fs';
import type { NewRecord } from '../event-log.ts';
import { readAll, record, Running, texts } from '../contract/harness.ts';
import { BatchJoiner } from './batch-joiner.ts';
import { SqliteEventLog } from './sqlite-event-log.ts';
import { SqliteTopic } from './topic.ts';

const root = temporaryFolder('joined').path;
after(() => rmSync(root, { recursive: true }));
const newFolder = (): string => mkdtempSync(join(root, 'log-'));
const { signal } = new AbortController();
const all = { appendedBefore: Infinity };
const day = Date.UTC(2026, 10, 28);

function rows(path: string, partition = 0): { offset: number; count: number; format: number | null }[] {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return db.prepare(`SELECT "offset", count, format FROM p${partition} ORDER BY "offset"`).all() as never;
  } finally {
    db.close();
  }
}

const line = (n: number): string =>
  JSON.stringify({
    level: 'info',
    service: 'checkout',
    message: `order ${n} was placed by user ${n % 7}`,
    stack: 'at placeOrder (checkout.js:12:7) '.repeat(12),
    n,
  });

function events(count: number, from = 0): NewRecord[] {
  return Array.from({ length: count }, (_, i) => record(line(from + i)));
}

/** What a topic answers to every question about its records. */
function answers(topic: SqliteTopic, times: readonly number[]) {
  return topic.perPartition((p) => {
    const [start, end] = [topic.startOffset(p), topic.endOffset(p)];
    const reads = [1, 2, 7, 1000].map((limit) => {
      const found = [];
      for (let next = start; next < end; next = found.at(-1)!.offset + 1)
        found.push(...topic.read(p, next, limit));
      return found.map(({ value, ...rest }) => ({ ...rest, value: value.toString() }));
    });
    for (const read of reads.slice(1)) assert.deepEqual(read, reads[0]);
    return { start, end, records: reads[0], offsets: times.map((time) => topic.offsetByTime(p, time)) };
  });
}

test('a log whose rows are joined answers as one whose rows are not', async () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        append: fc.array(fc.nat(1), { minLength: 1, maxLength: 9 }),
        later: fc.integer({ min: -3000, max: 3000 }),
      }),
    },
    { weight: 3, arbitrary: fc.constant({ join: true as const }) },
    { weight: 1, arbitrary: fc.record({ trim: fc.nat(100) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const [one, two] = [new SqliteTopic(newFolder(), 't', 2), new SqliteTopic(newFolder(), 't', 2)];
      const joiner = new BatchJoiner();
      let now = day;
      let written = 0;
      const times = new Set([day - 1, day]);
      try {
        for (const each of steps) {
          if ('append' in each) {
            now += each.later;
            times.add(now).add(now + 1);
            const records = each.append.map((p) => ({
              partition: p,
              key: written % 3 === 0 ? null : `key ${written}`,
              value: Buffer.from(line(written++)),
              ...(written % 4 === 0 && { headers: { n: String(written) } }),
            }));
            assert.deepEqual(one.append(records, now), two.append(records, now));
          } else if ('trim' in each) {
            const sorted = [...times].sort((a, b) => a - b);
            const before = sorted[Math.floor((each.trim / 101) * sorted.length)]!;
            for (const topic of [one, two]) topic.trim(before);
          } else await joiner.join({ path: two.path, partitions: 2 }, all, signal);
        }
        await joiner.join({ path: two.path, partitions: 2 }, all, signal);
        assert.deepEqual(answers(two, [...times]), answers(one, [...times]));
      } finally {
        one.close();
        two.close();
      }
    }),
    { numRuns: 20 },
  );
});

test('single events become few rows, and the file as small as if they had come at once', async () => {
  const folder = newFolder();
  const path = join(folder, 'a.db');
  const log = new SqliteEventLog(folder);
  await log.createTopics([{ name: 'a', partitions: 1 }]);
  for (const event of events(1500)) await log.append('a', [event]);
  const before = await readAll(log, 'a');
  const joined = await new BatchJoiner().join({ path, partitions: 1 }, all, signal);
  assert.deepEqual(joined, { rows: 1499, into: 1 });
  assert.deepEqual(
    rows(path).map(({ offset, count, format }) => [offset, count, format]),
    [
      [0, 1499, 2],
      [1499, 1, null],
    ],
  );
  assert.deepEqual(await readAll(log, 'a'), before);
  assert.deepEqual(await log.append('a', events(1)), [1500]);
  await log.close();
  const bytes = before.reduce((sum, { value }) => sum + value.length, 0);
  assert.ok(statSync(path).size < bytes / 4, `${statSync(path).size} of ${bytes} bytes`);
});

test('rows that are young stay, and so does the last one', async () => {
  const folder = newFolder();
  const topic = new SqliteTopic(folder, 'a', 1);
  for (let n = 0; n < 10; n++) topic.append(events(1, n), day + n * 1000);
  await new BatchJoiner().join({ path: topic.path, partitions: 1 }, { appendedBefore: day + 5000 }, signal);
  assert.deepEqual(
    rows(topic.path).map(({ count }) => count),
    [5, 1, 1, 1, 1, 1],
  );
  topic.close();
});

test('a reader goes on where it was while the rows under it are joined', async () => {
  const folder = newFolder();
  const log = new SqliteEventLog(folder);
  await log.createTopics([{ name: 'a', partitions: 1 }]);
  for (const event of events(60)) await log.append('a', [event]);
  const joiner = new BatchJoiner();
  const found: string[] = [];
  {
    await using running = new Running((stop) =>
      log.follow(
        {
          topic: 'a',
          from: [0],
          maxRecords: 7,
          onBatch: async (records) => {
            found.push(...texts(records));
            await log.append('a', events(1, 60 + found.length));
            await joiner.join({ path: join(folder, 'a.db'), partitions: 1 }, all, signal);
          },
        },
        stop,
      ),
    );
    await running.until('all', () => found.length >= 60);
  }
  assert.deepEqual(
    found.slice(0, 60),
    Array.from({ length: 60 }, (_, n) => line(n)),
  );
  await log.close();
});

test('a damaged row is joined with nothing, and stays the only gap; a damaged joined row is a gap of all its records', async () => {
  const folder = newFolder();
  const path = join(folder, 'a.db');
  const log = new SqliteEventLog(folder);
  await log.createTopics([{ name: 'a', partitions: 1 }]);
  for (const event of events(9)) await log.append('a', [event]);
  await log.close();
  const flip = (text: Buffer | string, add: number): void => {
    const bytes = readFileSync(path);
    const at = bytes.indexOf(text);
    assert.ok(at > 0);
    bytes[at + add]! ^= 1;
    writeFileSync(path, bytes);
  };
  flip('order 4', 6);
  const joiner = new BatchJoiner();
  for (let pass = 0; pass < 3; pass++) await joiner.join({ path, partitions: 1 }, all, signal);
  assert.deepEqual(
    rows(path).map(({ count }) => count),
    [4, 1, 3, 1],
  );
  let again = new SqliteEventLog(folder);
  const damaged = async () => (await again.damage('a', signal)).map(({ from, to }) => [from, to]);
  assert.deepEqual(await damaged(), [[4, 5]]);
  assert.deepEqual(texts(await again.read('a', 0, 5, 2)), [line(5), line(6)]);
  const db = new DatabaseSync(path);
  const { records } = db.prepare('SELECT records FROM p0 WHERE "offset" = 0').get() as {
    records: Uint8Array;
  };
  db.close();
  await again.close();
  flip(Buffer.from(records), records.length - 1);
  again = new SqliteEventLog(folder);
  assert.deepEqual(await damaged(), [
    [0, 4],
    [4, 5],
  ]);
  const gaps: unknown[] = [];
  assert.deepEqual(texts(await again.read('a', 0, 0, 1, (gap) => gaps.push(gap))), [line(5)]);
  assert.deepEqual(gaps, [{ topic: 'a', partition: 0, from: 0, to: 5, reason: 'damaged' }]);
  await again.close();
});

test('a file of a release that did not compress is read, appended to and joined', async () => {
  const folder = newFolder();
  const path = join(folder, 'a.db');
  const log = new SqliteEventLog(folder);
  await log.createTopics([{ name: 'a', partitions: 1 }]);
  for (let n = 0; n < 5; n++) await log.append('a', events(1, n));
  await log.close();
  const old = new DatabaseSync(path);
  for (const column of ['format', 'size']) old.exec(`ALTER TABLE p0 DROP COLUMN ${column}`);
  old.close();
  const again = new SqliteEventLog(folder);
  await again.append('a', events(100, 5));
  assert.equal(rows(path).at(-1)!.format, 1);
  await new BatchJoiner().join({ path, partitions: 1 }, all, signal);
  assert.deepEqual(
    rows(path).map(({ count }) => count),
    [5, 100],
  );
  assert.deepEqual(
    texts(await readAll(again, 'a')),
    Array.from({ length: 105 }, (_, n) => line(n)),
  );
  assert.deepEqual(await again.damage('a', signal), []);
  await again.close();
});

test('a file of a release that could not return room is rewritten at a start once most of it is free', async () => {
  const folder = newFolder();
  const path = join(folder, 'a.db');
  const old = new DatabaseSync(path);
  old.exec(
    'PRAGMA page_size=16384; PRAGMA auto_vacuum=NONE; PRAGMA journal_mode=WAL; CREATE TABLE ballast (x)',
  );
  old.close();
  const log = new SqliteEventLog(folder);
  await log.createTopics([{ name: 'a', partitions: 1 }]);
  for (const event of events(1500)) await log.append('a', [event]);
  const before = await readAll(log, 'a');
  await new BatchJoiner().join({ path, partitions: 1 }, all, signal);
  await log.close();
  const size = statSync(path).size;
  await SqliteEventLog.own(folder, ({ message }) => assert.fail(message))[Symbol.asyncDispose]();
  assert.ok(statSync(path).size < size / 4, `${statSync(path).size} of ${size} bytes`);
  const again = new SqliteEventLog(folder);
  assert.deepEqual(await readAll(again, 'a'), before);
  await again.close();
});
