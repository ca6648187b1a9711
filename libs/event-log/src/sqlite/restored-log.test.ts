import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readAll, record, Running, texts } from '../contract/harness.ts';
import { DuplicateWindow, warmUp } from '../duplicate-window.ts';
import type { LogGap, LogRecord } from '../event-log.ts';
import { offsetBefore, restoredOffsets, skippedBetween } from '../skipped-offsets.ts';
import { SqliteEventLog } from './sqlite-event-log.ts';

const root = temporaryFolder('restored').path;
after(() => rmSync(root, { recursive: true }));
const signal = new AbortController().signal;

/** A log of three records in partition 0 and none in partition 1, and a copy of it that was restored. */
async function restored(): Promise<{ original: string; copy: string }> {
  const [original, copy] = [mkdtempSync(join(root, 'log-')), mkdtempSync(join(root, 'copy-'))];
  const log = new SqliteEventLog(original);
  await log.createTopics([{ name: 'a', partitions: 2 }]);
  await log.append('a', [record('0'), record('1'), record('2')]);
  await log.close();
  cpSync(original, copy, { recursive: true });
  await SqliteEventLog.skipRestored(copy);
  return { original, copy };
}

/** A log that is closed at the end of its block. */
class OpenedLog implements AsyncDisposable {
  readonly log: SqliteEventLog;
  constructor(folder: string) {
    this.log = new SqliteEventLog(folder);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.log.close();
  }
}

/** Opens it as a process does that has the folder; it must not find anything lost. */
async function own(folder: string): Promise<void> {
  await SqliteEventLog.own(folder, ({ message }) => assert.fail(message))[Symbol.asyncDispose]();
}

async function consumed(log: SqliteEventLog, startOffset: number, count: number) {
  const records: LogRecord[] = [];
  const gaps: LogGap[] = [];
  await using running = new Running((stop) =>
    log.consume(
      {
        group: `from ${startOffset}`,
        topics: ['a'],
        open: async ({ partition }) => ({
          startOffset: partition === 0 ? startOffset : 0,
          process: async (batch) => void records.push(...batch),
          gap: (gap) => void gaps.push(gap),
        }),
      },
      stop,
    ),
  );
  await running.until('all records', () => records.length >= count);
  return { texts: texts(records), gaps };
}

test('new records of a restored log get no offset that the log which it is a copy of can have given out', async () => {
  const { original, copy } = await restored();
  const log = new SqliteEventLog(original);
  const goneOn = await log.append('a', [record('3'), record('4', 1)]);
  await log.close();
  await own(copy);
  await using opened = new OpenedLog(copy);
  const { log: after } = opened;
  assert.deepEqual(await after.endOffsets('a'), [3, 0], 'as in the backup until there is a new record');
  const offsets = await after.append('a', [record('new'), record('new', 1), record('newer')]);
  assert.deepEqual(offsets, [3 + restoredOffsets, restoredOffsets, 4 + restoredOffsets]);
  assert.ok(offsets.every((offset) => !goneOn.includes(offset)));
  await using before = new OpenedLog(original);
  assert.equal(await after.epochOf('a'), await before.log.epochOf('a'));
  assert.deepEqual(await after.startOffsets('a'), [0, restoredOffsets]);
});

test('readers continue behind the skipped offsets without a gap; a position of the other log is one', async () => {
  const { copy } = await restored();
  await using opened = new OpenedLog(copy);
  const { log } = opened;
  const gaps: LogGap[] = [];
  const read = (offset: number): Promise<LogRecord[]> =>
    log.read('a', 0, offset, 10, (gap) => gaps.push(gap));
  assert.deepEqual(await read(3), []);
  await log.append('a', [record('new')]);
  assert.deepEqual([texts(await read(3)), gaps], [['new'], []]);
  assert.equal((await readAll(log, 'a')).length, 4);
  assert.deepEqual(await consumed(log, 0, 4), { texts: ['0', '1', '2', 'new'], gaps: [] });
  assert.deepEqual((await consumed(log, 3, 1)).gaps, []);
  const ofOther = { topic: 'a', partition: 0, from: 5, to: 3 + restoredOffsets, reason: 'damaged' };
  assert.deepEqual(await consumed(log, 5, 1), { texts: ['new'], gaps: [ofOther] });
  assert.deepEqual(await log.damage('a', signal), []);
  assert.deepEqual(await log.check(signal), { damaged: [], unreadable: [] });
  assert.deepEqual(await log.offsetsByTime('a', Date.now() + 1e6), await log.endOffsets('a'));
});

test('a log that is restored again skips what the first restore may have given out, also without a record between', async () => {
  const { copy } = await restored();
  await SqliteEventLog.skipRestored(copy);
  let log = new SqliteEventLog(copy);
  assert.deepEqual(await log.append('a', [record('new')]), [3 + 2 * restoredOffsets]);
  await log.close();
  await SqliteEventLog.skipRestored(copy);
  log = new SqliteEventLog(copy);
  assert.deepEqual(await log.append('a', [record('newer')]), [4 + 3 * restoredOffsets]);
  const skips = log.skippedOffsets('a').filter(({ partition }) => partition === 0);
  assert.deepEqual(
    skips.map(({ from, to }) => [from, to]),
    [
      [3, 3 + 2 * restoredOffsets],
      [4 + 2 * restoredOffsets, 4 + 3 * restoredOffsets],
    ],
  );
  const end = (await log.endOffsets('a'))[0]!;
  assert.equal(end - skippedBetween(log, 'a', 0, 0, end), 5);
  assert.deepEqual(
    [0, 1, 2, 3, 5].map((count) => offsetBefore(log, 'a', 0, end, count)),
    [end, end - 1, 3 + 2 * restoredOffsets, 2, 0],
  );
  assert.deepEqual(await log.damage('a', signal), []);
  await log.close();
});

test('a duplicate is known across the skipped offsets, live and by a window that is warmed up', async () => {
  const { copy } = await restored();
  await using opened = new OpenedLog(copy);
  const { log } = opened;
  await log.append('a', [record('2'), record('3')]);
  const source = (offset: number) => ({ kind: 'http', topic: 't', partition: 0, offset, index: 0 });
  const sources = async (records: readonly LogRecord[]) =>
    records.map(({ value }) => source(Number(value.toString())));
  const window = new DuplicateWindow(4);
  const all = await log.read('a', 0, 0, 10);
  const isNew = (await sources([...all, ...(await log.read('a', 0, 3, 10))].slice(0, 5))).map((each, i) =>
    window.admit(each, [0, 1, 2, 3 + restoredOffsets, 4 + restoredOffsets][i]!),
  );
  assert.deepEqual(isNew, [true, true, true, false, true]);
  const warm = await warmUp({ log, topic: 'a', partition: 0 }, 3 + restoredOffsets, sources, 2);
  assert.deepEqual(
    [0, 1, 2, 3].map((n) => warm.has(source(n))),
    [false, true, true, false],
  );
});
