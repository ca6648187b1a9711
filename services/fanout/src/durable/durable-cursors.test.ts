import { createSqliteJobRecords } from '@logloom/job-queue';
import type { Logger } from '@logloom/telemetry';
import { captureLog, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DurableCursors } from './durable-cursors.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

test('names outlive a clock that jumps ahead and back; those used meanwhile expire in their time', async () => {
  using folder = temporaryFolder('durables');
  const records = createSqliteJobRecords(folder.path);
  const logger = captureLog();
  const machine = { wall: Date.UTC(2026, 10, 27), monotonic: 0 };
  const pass = (ms: number): void => {
    machine.wall += ms;
    machine.monotonic += ms;
  };
  const cursors = new DurableCursors({
    records: async () => records,
    logger: logger as unknown as Logger,
    expireMs: 7 * dayMs,
    namesPerPrincipal: 10,
    totalBytes: 1e6,
    nowMs: () => machine.wall,
    passed: () => machine.monotonic,
  });
  const to = { stream: 'events', filter: '', cursor: 'c' } as const;
  const names = async (): Promise<string[]> =>
    (await cursors.list('', 10)).names.map(({ name }) => name).toSorted();
  try {
    cursors.move('before', to);
    await cursors.sweep();
    pass(hourMs);
    machine.wall += 400 * dayMs;
    cursors.move('meanwhile', to);
    await cursors.sweep();
    assert.deepEqual(await names(), ['before', 'meanwhile']);
    assert.equal(logger.lines.length, 1);
    pass(hourMs);
    machine.wall -= 400 * dayMs;
    await cursors.sweep();
    assert.deepEqual(await names(), ['before', 'meanwhile']);
    for (let hours = 2; hours <= 7 * 24; hours++) {
      pass(hourMs);
      await cursors.sweep();
    }
    assert.deepEqual(await names(), ['meanwhile']);
    pass(3 * hourMs);
    await cursors.sweep();
    assert.deepEqual(await names(), []);
    assert.equal(logger.lines.length, 1);
  } finally {
    await records.close();
  }
});
