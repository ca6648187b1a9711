import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { readAll, record, rejectsWith, Running, texts } from '../contract/harness.ts';
import type { LogGap } from '../event-log.ts';
import type { Trouble } from '../event-log.ts';
import { SqliteEventLog } from './sqlite-event-log.ts';

const root = temporaryFolder('damage').path;
after(() => rmSync(root, { recursive: true }));

const signal = new AbortController().signal;

/** A log with the topic `a`, of two partitions, in which each append is a batch of its own. */
async function filled(batches = 5): Promise<string> {
  const folder = mkdtempSync(join(root, 'log-'));
  const log = new SqliteEventLog(folder);
  await log.createTopics([
    { name: 'a', partitions: 2 },
    { name: 'b', partitions: 1 },
  ]);
  for (let batch = 0; batch < batches; batch++) {
    const value = `batch ${batch} ${'x'.repeat(100)}`;
    await log.append('a', [record(`${value} first`), record(`${value} second`), record(value, 1)]);
    await log.append('b', [record(value)]);
  }
  await log.close();
  return folder;
}

/** Changes one byte of the first place in the file that has the text. */
function flip(path: string, text: string): void {
  const bytes = readFileSync(path);
  const at = bytes.indexOf(text);
  assert.ok(at > 0);
  bytes[at + text.length - 1]! ^= 1;
  writeFileSync(path, bytes);
}

/** What a consumer of the topic gets, by partition, until it has come to the end. */
async function consumed(log: SqliteEventLog, topic = 'a') {
  const found: string[][] = [[], []];
  const gaps: LogGap[] = [];
  const next = [0, 0];
  const ends = await log.endOffsets(topic);
  await using running = new Running((stop) =>
    log.consume(
      {
        group: 'g',
        topics: [topic],
        open: async ({ partition }) => ({
          startOffset: 0,
          process: async (records) => {
            found[partition]!.push(...texts(records));
            next[partition] = records.at(-1)!.offset + 1;
          },
          gap: (gap) => {
            gaps.push(gap);
            next[partition] = gap.to;
          },
        }),
      },
      stop,
    ),
  );
  await running.until('the end', () => ends.every((end, partition) => next[partition] === end));
  return { found, gaps };
}

test('a batch with a flipped bit is a gap with its exact offsets; everything else is read', async () => {
  const folder = await filled();
  flip(join(folder, 'a.db'), 'batch 2');
  const log = new SqliteEventLog(folder);
  const { found, gaps } = await consumed(log);
  const gap = { topic: 'a', partition: 0, from: 4, to: 6, reason: 'damaged' };
  assert.deepEqual(gaps, [gap]);
  assert.deepEqual(
    found.map((values) => values.length),
    [8, 5],
  );
  assert.ok(found[0]!.every((value) => !value.startsWith('batch 2')));
  assert.deepEqual(await log.damage('a', signal), [gap]);
  assert.deepEqual(await log.damage('b', signal), []);
  const seen: LogGap[] = [];
  assert.deepEqual(
    (await log.read('a', 0, 4, 10, (g) => seen.push(g))).map((r) => r.offset),
    [6, 7, 8, 9],
  );
  assert.deepEqual(seen, [gap]);
  assert.deepEqual(
    (await log.read('a', 0, 0, 100)).map((r) => r.offset),
    [0, 1, 2, 3],
  );
  await log.close();
});

test('a damaged batch at the end is a gap at once, and what is appended then comes behind it', async () => {
  const folder = await filled();
  flip(join(folder, 'a.db'), 'batch 4');
  const log = new SqliteEventLog(folder);
  assert.deepEqual((await consumed(log)).gaps, [
    { topic: 'a', partition: 0, from: 8, to: 10, reason: 'damaged' },
  ]);
  assert.deepEqual(await log.append('a', [record('new')]), [10]);
  assert.deepEqual((await consumed(log)).found[0]!.at(-1), 'new');
  await log.close();
});

test('a file of a release without checksums gets them for what comes', async () => {
  const folder = await filled(1);
  const old = new DatabaseSync(join(folder, 'a.db'));
  for (const table of ['p0', 'p1']) old.exec(`ALTER TABLE ${table} DROP COLUMN crc`);
  old.close();
  const log = new SqliteEventLog(folder);
  await log.append('a', [record('new')]);
  assert.deepEqual((await readAll(log, 'a')).length, 3);
  assert.deepEqual(await log.damage('a', signal), []);
  await log.close();
  flip(join(folder, 'a.db'), 'new');
  const again = new SqliteEventLog(folder);
  assert.deepEqual(
    (await again.damage('a', signal)).map(({ from, to }) => [from, to]),
    [[2, 3]],
  );
  await again.close();
});

test('a topic whose file cannot be read rejects, names the file, and the others serve', async () => {
  const folder = await filled();
  const path = join(folder, 'a.db');
  writeFileSync(path, 'not a database, '.repeat(5000));
  const troubles: Trouble[] = [];
  const log = new SqliteEventLog(folder, (trouble) => troubles.push(trouble));
  await log.createTopics([
    { name: 'a', partitions: 2 },
    { name: 'b', partitions: 1 },
  ]);
  assert.match(String(troubles[0]?.error), new RegExp(`${path}: file is not a database`));
  await rejectsWith('log-damaged', log.append('a', [record('x')]));
  await rejectsWith('log-damaged', log.read('a', 0, 0, 1));
  const found: string[] = [];
  await using running = new Running((stop) =>
    log.consume(
      {
        group: 'g',
        topics: ['a', 'b'],
        open: async () => ({ process: async (records) => void found.push(...texts(records)) }),
      },
      stop,
    ),
  );
  await running.until('the records of the other topic', () => found.length === 5);
  assert.deepEqual(await log.append('b', [record('x')]), [5]);
  await running.until('what is appended', () => found.length === 6);
  await running[Symbol.asyncDispose]();
  await log.close();
});

test('a partition whose pages are damaged waits; the other continues', async () => {
  const folder = await filled(2000);
  const path = join(folder, 'a.db');
  const db = new DatabaseSync(path);
  const { page_size: pageBytes } = db.prepare('PRAGMA page_size').get() as { page_size: number };
  const { rootpage } = db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'p0'").get() as {
    rootpage: number;
  };
  db.close();
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0xff, (rootpage - 1) * pageBytes, rootpage * pageBytes));
  const troubles: string[] = [];
  const log = new SqliteEventLog(folder, ({ message }) => troubles.push(message));
  const found: string[] = [];
  await using running = new Running((stop) =>
    log.consume(
      {
        group: 'g',
        topics: ['a'],
        open: async () => ({ process: async (records) => void found.push(...texts(records)) }),
      },
      stop,
    ),
  );
  await running.until('the other partition', () => found.length === 2000 && troubles.length > 0);
  assert.ok(troubles.every((message) => message.includes('a/0')));
  await running[Symbol.asyncDispose]();
  await log.close();
});

test('a write-ahead file that is gone is noticed, and the offsets that it held are given to no other record', async () => {
  const folder = await filled(1);
  const copy = mkdtempSync(join(root, 'copy-'));
  {
    await using owned = SqliteEventLog.own(folder, () => assert.fail('nothing is lost'));
    assert.deepEqual(owned.damaged, []);
    const log = new SqliteEventLog(folder);
    await log.append('a', [record('acknowledged'), record('too')]);
    assert.ok(existsSync(join(folder, 'a.db-wal')));
    // As a process that is killed leaves it.
    cpSync(folder, copy, { recursive: true });
    await log.close();
  }
  await SqliteEventLog.own(folder, () => assert.fail('nothing is lost'))[Symbol.asyncDispose]();
  rmSync(join(copy, 'a.db-wal'));
  const troubles: Trouble[] = [];
  await using owned = SqliteEventLog.own(copy, (trouble) => troubles.push(trouble));
  assert.deepEqual(owned.damaged, []);
  assert.equal(troubles.length, 1);
  assert.ok(troubles[0]!.message.startsWith(join(copy, 'a.db-wal')));
  const log = new SqliteEventLog(copy);
  const [offset] = await log.append('a', [record('new')]);
  assert.ok(offset! >= 4);
  const { gaps, found } = await consumed(log);
  assert.deepEqual(found[0]!.length, 3);
  assert.deepEqual(
    gaps.map(({ partition, from, to, reason }) => [partition, from, to, reason]),
    [
      [0, 2, offset, 'damaged'],
      [1, 1, (await log.endOffsets('a'))[1], 'damaged'],
    ].sort(
      (a, b) => gaps.findIndex((g) => g.partition === a[0]) - gaps.findIndex((g) => g.partition === b[0]),
    ),
  );
  // An offset that was given out before, and is in the gap, is found by time as what follows it.
  assert.deepEqual(await log.offsetsByTime('a', Date.now() + 1e6), await log.endOffsets('a'));
  await log.close();
});

test('after a kill anybody may open and close the log: what SQLite then moves into the file is not lost; what was lost after that is', async () => {
  const folder = await filled(1);
  const [copy, cut] = [mkdtempSync(join(root, 'copy-')), mkdtempSync(join(root, 'copy-'))];
  {
    await using owned = SqliteEventLog.own(folder, () => assert.fail('nothing is lost'));
    assert.deepEqual(owned.damaged, []);
    const [log, other] = [new SqliteEventLog(folder), new SqliteEventLog(folder)];
    await log.append('a', [record('acknowledged')]);
    await other.append('a', [record('too'), record('and this')]);
    await log.append('a', [record('on the other partition', 1)]);
    // As a process that is killed leaves it.
    for (const to of [copy, cut]) cpSync(folder, to, { recursive: true });
    await log.close();
    await other.close();
  }
  const openAndClose = async (of: string): Promise<void> => {
    const log = new SqliteEventLog(of);
    await log.endOffsets('a');
    await log.close();
  };
  await openAndClose(copy);
  assert.ok(!existsSync(join(copy, 'a.db-wal')));
  for (let start = 0; start < 2; start++) {
    await using owned = SqliteEventLog.own(copy, ({ message }) => assert.fail(message));
    assert.deepEqual(owned.damaged, []);
    const log = new SqliteEventLog(copy);
    assert.deepEqual(await log.append('a', [record('next'), record('next', 1)]), [5 + start, 2 + start]);
    await log.close();
  }

  rmSync(join(cut, 'a.db-wal'));
  await openAndClose(cut);
  const troubles: Trouble[] = [];
  await using owned = SqliteEventLog.own(cut, (trouble) => troubles.push(trouble));
  assert.deepEqual(owned.damaged, []);
  assert.equal(troubles.length, 1);
  const log = new SqliteEventLog(cut);
  assert.ok((await log.append('a', [record('new')]))[0]! > 5);
  await log.close();
});

test('a topic of which every record was in the write-ahead file: what is gone is a gap, or the topic another one', async () => {
  for (const isInFile of [true, false]) {
    const folder = mkdtempSync(join(root, 'log-'));
    const copy = mkdtempSync(join(root, 'copy-'));
    const made = new SqliteEventLog(folder);
    await made.createTopics([{ name: 'a', partitions: 1 }]);
    if (isInFile) await made.close();
    const log = isInFile ? new SqliteEventLog(folder) : made;
    const epoch = await log.epochOf('a');
    await log.append('a', [record('acknowledged')]);
    cpSync(folder, copy, { recursive: true });
    await log.close();
    rmSync(join(copy, 'a.db-wal'));
    const troubles: Trouble[] = [];
    await using owned = SqliteEventLog.own(copy, (trouble) => troubles.push(trouble));
    assert.deepEqual(owned.damaged, []);
    assert.equal(troubles.length, 1);
    const after = new SqliteEventLog(copy);
    assert.equal((await after.epochOf('a')) === epoch, isInFile);
    const gaps: LogGap[] = [];
    assert.deepEqual(await after.read('a', 0, 0, 10, (gap) => gaps.push(gap)), []);
    const [end] = await after.endOffsets('a');
    assert.deepEqual(
      gaps,
      isInFile ? [{ topic: 'a', partition: 0, from: 0, to: end, reason: 'damaged' }] : [],
    );
    await after.close();
  }
});

test('without groups.db the log keeps its epoch: its records are the same', async () => {
  const folder = await filled();
  const before = new SqliteEventLog(folder);
  await before.close();
  truncateSync(join(folder, 'groups.db'), 100);
  const troubles: Trouble[] = [];
  await using owned = SqliteEventLog.own(folder, (trouble) => troubles.push(trouble));
  assert.deepEqual(owned.damaged, []);
  assert.match(troubles[0]!.message, /groups\.db was damaged/);
  const log = new SqliteEventLog(folder);
  assert.equal(log.epoch, before.epoch);
  await log.createTopics([{ name: 'a', partitions: 2 }]);
  assert.equal((await readAll(log, 'a')).length, 10);
  await log.close();
});
