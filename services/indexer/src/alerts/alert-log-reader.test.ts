import { topics } from '@logloom/schemas';
import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alertRecord } from '../testing/alert-records.ts';
import { openRig, partitions } from '../testing/jobs-rig.ts';
import { AlertBook } from './alert-book.ts';
import { AlertLogReader } from './alert-log-reader.ts';

test('a long log is read without holding up the thread, and what others have appended is passed over', async () => {
  await using rig = await openRig();
  const { log, serde } = rig;
  const values = Array.from({ length: 4000 }, (_, i) =>
    i % 100 === 99 ? Buffer.from('not a record') : serde.encode('Alert', alertRecord(i + 1)),
  );
  await log.append(
    topics.alerts,
    values.map((value, i) => ({ partition: i % partitions, key: null, value })),
  );
  const book = new AlertBook({ limitBytes: 2 ** 20 });
  const reader = new AlertLogReader(rig, book);
  let turns = 0;
  const counting = setInterval(() => turns++, 0);
  try {
    await reader.readTo();
  } finally {
    clearInterval(counting);
  }
  assert.ok(turns > 1, `${turns} turns of others`);
  assert.equal(book.alerts()[0]!.occurrences, 3960);
  assert.deepEqual(reader.positions, await log.endOffsets(topics.alerts));
});

test('what was trimmed is passed over, and reading goes on at what is left', async () => {
  await using rig = await openRig();
  const { log, serde } = rig;
  const append = (n: number): Promise<number[]> =>
    log.append(topics.alerts, [
      { partition: 0, key: null, value: serde.encode('Alert', alertRecord(n, { rule: `rule-${n}` })) },
    ]);
  await append(1);
  const book = new AlertBook({ limitBytes: 2 ** 20 });
  const reader = new AlertLogReader(rig, book);
  await reader.readTo();
  await append(2);
  const [second] = await log.read(topics.alerts, 0, 1, 1);
  await eventually('a later append time', async () => Date.now() > second!.timestampMs);
  await append(3);
  await log.trim(topics.alerts, second!.timestampMs + 1);
  await reader.readTo();
  assert.deepEqual(
    book.alerts().map(({ rule }) => rule),
    ['rule-1', 'rule-3'],
  );
});
