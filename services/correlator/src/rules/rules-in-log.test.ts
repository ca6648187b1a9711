import { SqliteEventLog } from '@logloom/event-log';
import type { RuleSet } from '@logloom/rules';
import { parseRules } from '@logloom/rules/rules-file';
import { createEmbeddedSchemaRegistry, createSerde } from '@logloom/schema-registry';
import { topics } from '@logloom/schemas';
import { SettingsError } from '@logloom/settings';
import { eventually, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CorrelateOptions } from '../correlate.ts';
import { firstOptions, optionsOfRecord, toRecord } from './options-in-log.ts';
import { readInForce, refreshInterval, rulesOfRecord, RulesWriter } from './rules-in-log.ts';
import { RulesSource } from './rules-source.ts';

function rulesOf(text: string): RuleSet {
  const result = parseRules(text);
  assert.ok(result.ok);
  return result.rules;
}

const one = rulesOf(`rules: [{ name: one, when: '*' }]`);
const two = rulesOf(`rules: [{ name: two, when: '*' }]`);

test('the wanted rules are written when those in force differ, once, and again after the interval', async (t) => {
  const folder = temporaryFolder('rules').path;
  const log = new SqliteEventLog(folder);
  t.after(async () => {
    await log.close();
    rmSync(folder, { recursive: true });
  });
  await log.createTopics([{ name: topics.events, partitions: 1 }]);
  const serde = await createSerde(createEmbeddedSchemaRegistry());
  await log.append(topics.events, [{ partition: 0, key: null, value: serde.encode('Tick', { dueAt: 1 }) }]);
  let wanted: RuleSet | null = one;
  const short: CorrelateOptions = {
    idleMs: 1,
    maxMs: 2,
    graceMs: 3,
    maxEvents: 4,
    maxSessions: 5,
    memoryBytes: 6,
    joins: true,
    backfill: { idleMs: 7, maxMs: 8, graceMs: 9, memoryBytes: 10 },
  };
  const long = { ...short, idleMs: 1000 };
  const writer = new RulesWriter(log, serde, 0, { rules: () => wanted, options: short }, 1, 1000);
  const ensure = (position: number, rules: RuleSet | null, now: number, options = short): Promise<boolean> =>
    writer.ensure(position, { rules, options }, now);

  assert.equal(await ensure(0, null, 0), false, 'what was there at the start is not read yet');
  assert.equal(await ensure(1, null, 0), true);
  assert.equal(await ensure(1, null, 0), false, 'its own record is not read yet');
  writer.seen(5000);
  assert.equal(await ensure(2, one, 5999), false);
  assert.equal(await ensure(2, one, 6000), true, 'the interval is over');
  writer.seen(6000);
  wanted = two;
  assert.equal(await ensure(3, one, 6001), true);
  writer.seen(6001);
  wanted = null;
  assert.equal(await ensure(4, two, 6002), true);
  writer.seen(6002);
  assert.equal(await ensure(5, null, 6003), false);
  assert.equal(await ensure(5, null, 6003, long), true, 'other options are in force');

  const written = await Promise.all([1, 2, 3, 4, 5].map((offset) => readInForce(log, serde, 0, offset)));
  assert.deepEqual(
    written.map((each) => each?.rules?.version),
    [one.version, one.version, two.version, undefined, undefined],
  );
  for (const each of written) assert.deepEqual(each?.options, short);
  assert.equal(await ensure(6, null, 6003, written[0]!.options), false, 'the same as in the log');
  assert.equal(await readInForce(log, serde, 0, 0), undefined, 'a tick sets nothing');
  assert.equal(await readInForce(log, serde, 0, 99), undefined, 'what has left the log neither');
  assert.deepEqual(await firstOptions(log, serde, 0, 0, 6), short);
  assert.equal(await firstOptions(log, serde, 0, 6, 6), undefined);
});

test('options of a newer algorithm are refused; an older release says nothing of them', () => {
  const at = { partition: 3, offset: 17 };
  const options = toRecord({ idleMs: 1, maxMs: 2, graceMs: 3, maxEvents: 4, maxSessions: 5, memoryBytes: 6 });
  assert.throws(() => optionsOfRecord({ options: { ...options, algorithm: 99 } }, at), {
    code: 'newer-algorithm',
    message: /logs\.events\/3 offset 17 needs version 99/,
  });
  assert.equal(optionsOfRecord({ options: null }, at), undefined);
});

test('rules that cannot be read change nothing; the interval keeps within the retention', async () => {
  assert.equal(await rulesOfRecord({ version: 'x', text: 'rules: [{ nme: a }]' }), undefined);
  assert.equal(await rulesOfRecord({ version: '', text: '' }), null);
  assert.equal((await rulesOfRecord(one))!.rules[0]!.name, 'one');
  assert.deepEqual([refreshInterval(undefined), refreshInterval(60_000)], [3_600_000, 15_000]);
});

test('a file is taken over when it changes; with problems the rules stay, and at the start it stops', async (t) => {
  const folder = temporaryFolder('rules').path;
  const file = join(folder, 'rules.yaml');
  const problems: string[] = [];
  writeFileSync(file, one.text);
  using source = await RulesSource.open(file, (found) => problems.push(...found));
  t.after(() => rmSync(folder, { recursive: true }));
  assert.equal(source.current?.version, one.version);
  writeFileSync(file, 'rules: [{ name: bad }]');
  await eventually('the problems', () => problems.length > 0);
  assert.match(problems[0]!, /rules\.yaml:1:9: rules\[0\]\.when: .* \(bad-rule\)$/);
  assert.equal(source.current?.version, one.version);
  writeFileSync(file, two.text);
  await eventually('the new rules', () => source.current?.version === two.version);
  writeFileSync(file, 'rules: 7');
  await assert.rejects(
    RulesSource.open(file, () => {}),
    SettingsError,
  );
});
