import { SqliteEventLog } from '@logloom/event-log';
import { parseRules } from '@logloom/rules/rules-file';
import { createEmbeddedSchemaRegistry, createSerde } from '@logloom/schema-registry';
import { topics } from '@logloom/schemas';
import { logEvent, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { backtestRules } from './backtest-rules.ts';

const hourMs = 3_600_000;

test('events after a clock that was hours ahead was set back are not at one time', async (t) => {
  using folder = temporaryFolder('backtest-clock');
  const log = new SqliteEventLog(join(folder.path, 'log'));
  const partitions = 1;
  await log.createTopics([topics.events, topics.correlations].map((name) => ({ name, partitions })));
  const serde = await createSerde(createEmbeddedSchemaRegistry());
  const startMs = Date.now();
  let nowMs = startMs;
  t.mock.method(Date, 'now', () => nowMs);
  let n = 0;
  const append = async (afterMs: number, service: string): Promise<void> => {
    nowMs = startMs + afterMs;
    const value = serde.encode('LogEvent', logEvent(n++, { service }));
    await log.append(topics.events, [{ partition: 0, key: null, value }]);
  };
  for (const afterMs of [1000, 1100, 1200]) await append(afterMs, 'burst');
  await append(5 * hourMs, 'ahead');
  for (const afterMs of [2000, 12_000, 22_000]) await append(afterMs, 'slow');
  for (const afterMs of [30_000, 30_100, 30_200]) await append(afterMs, 'later');
  await append(40_000, 'last');
  const parsed = parseRules("rules: [{ name: many, when: '*', by: [service], window: 5s, if: count >= 3 }]");
  assert.ok(parsed.ok);
  try {
    const range = { fromMs: startMs, toMs: startMs + 60_000, maxMs: 60_000 };
    const { isComplete, events, rules } = await backtestRules({ log, serde, rules: parsed.rules, ...range });
    assert.deepEqual([isComplete, events], [true, 11]);
    const services = rules[0]!.alerts.map(({ key }) => key['service']);
    assert.deepEqual(services, ['burst', 'later'], 'three events within 20 s are no three in 5 s');
  } finally {
    await log.close();
  }
});
