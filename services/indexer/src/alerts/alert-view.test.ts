import { topics } from '@logloom/schemas';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alertRecord } from '../testing/alert-records.ts';
import { openRig, partitions } from '../testing/jobs-rig.ts';
import { AlertView } from './alert-view.ts';

test('every answer has what the log had when it was asked for, however many ask at once', async () => {
  await using rig = await openRig();
  const { log, serde } = rig;
  const view = new AlertView(rig, { limitBytes: 2 ** 20, nowMs: Date.now });
  await Promise.all(
    Array.from({ length: 50 }, async (_, i) => {
      const rule = `rule-${i}`;
      const value = serde.encode('Alert', alertRecord(i + 1, { rule }));
      await log.append(topics.alerts, [{ partition: i % partitions, key: null, value }]);
      const rules = (await view.current()).alerts().map((alert) => alert.rule);
      assert.ok(rules.includes(rule), rule);
    }),
  );
  assert.equal((await view.current()).alerts().length, 50);
});

test('a topic that was recreated has other alerts', async () => {
  await using rig = await openRig();
  const { log, serde } = rig;
  const view = new AlertView(rig, { limitBytes: 2 ** 20, nowMs: Date.now });
  const raise = async (rule: string): Promise<string[]> => {
    const value = serde.encode('Alert', alertRecord(1, { rule }));
    await log.append(topics.alerts, [{ partition: 0, key: null, value }]);
    return (await view.current()).alerts().map((alert) => alert.rule);
  };
  assert.deepEqual(await raise('before'), ['before']);
  await log.deleteTopic(topics.alerts);
  await assert.rejects(view.current(), { code: 'unknown-topic' });
  await log.createTopics([{ name: topics.alerts, partitions }]);
  assert.deepEqual(await raise('after'), ['after']);
});

test('one who asks while much is to be read is told to try again, and the reading goes on', async (t) => {
  await using rig = await openRig();
  const { log, serde } = rig;
  const value = serde.encode('Alert', alertRecord(1, { rule: 'slow' }));
  await log.append(topics.alerts, [{ partition: 0, key: null, value }]);
  const read = Promise.withResolvers<void>();
  const epochOf = log.epochOf.bind(log);
  t.mock.method(log, 'epochOf', async (topic: string) => read.promise.then(() => epochOf(topic)));
  const options = { limitBytes: 2 ** 20, nowMs: Date.now, waitMs: 1 };
  const view = new AlertView(rig, options);
  await assert.rejects(view.current(), { code: 'starting' });
  read.resolve();
  options.waitMs = 60_000;
  assert.equal((await view.current()).alerts().length, 1);
});
