import { SqliteEventLog } from '@logloom/event-log';
import type { RuleSet } from '@logloom/rules';
import { parseRules } from '@logloom/rules/rules-file';
import { createEmbeddedSchemaRegistry, createSerde } from '@logloom/schema-registry';
import { topics } from '@logloom/schemas';
import { SettingsError } from '@logloom/settings';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readRules, refreshInterval, rulesOfRecord, RulesWriter } from './rules-in-log.ts';
import { RulesSource } from './rules-source.ts';

function rulesOf(text: string): RuleSet {
  const result = parseRules(text);
  assert.ok(result.ok);
  return result.rules;
}

const one = rulesOf(`rules: [{ name: one, when: '*' }]`);
const two = rulesOf(`rules: [{ name: two, when: '*' }]`);

test('the wanted rules are written when those in force differ, once, and again after the interval', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'rules-'));
  const log = new SqliteEventLog(folder);
  t.after(async () => {
    await log.close();
    rmSync(folder, { recursive: true });
  });
  await log.createTopics([{ name: topics.events, partitions: 1 }]);
  const serde = await createSerde(createEmbeddedSchemaRegistry());
  await log.append(topics.events, [{ partition: 0, key: null, value: serde.encode('Tick', { dueAt: 1 }) }]);
  let wanted: RuleSet | null = one;
  const writer = new RulesWriter(log, serde, 0, () => wanted, 1, 1000);

  assert.equal(await writer.ensure(0, null, 0), false, 'what was there at the start is not read yet');
  assert.equal(await writer.ensure(1, null, 0), true);
  assert.equal(await writer.ensure(1, null, 0), false, 'its own record is not read yet');
  writer.seen(5000);
  assert.equal(await writer.ensure(2, one, 5999), false);
  assert.equal(await writer.ensure(2, one, 6000), true, 'the interval is over');
  writer.seen(6000);
  wanted = two;
  assert.equal(await writer.ensure(3, one, 6001), true);
  writer.seen(6001);
  wanted = null;
  assert.equal(await writer.ensure(4, two, 6002), true);
  writer.seen(6002);
  assert.equal(await writer.ensure(5, null, 9_000_000), false, 'no rules are not repeated');

  const versions = await Promise.all(
    [1, 2, 3, 4].map(async (offset) => (await readRules(log, serde, 0, offset))?.rules?.version),
  );
  assert.deepEqual(versions, [one.version, one.version, two.version, undefined]);
  assert.equal(await readRules(log, serde, 0, 0), null, 'a tick holds none');
  assert.equal(await readRules(log, serde, 0, 99), null, 'what has left the log neither');
});

test('rules that cannot be read change nothing; the interval keeps within the retention', async () => {
  assert.equal(await rulesOfRecord({ version: 'x', text: 'rules: [{ nme: a }]' }), undefined);
  assert.equal(await rulesOfRecord({ version: '', text: '' }), null);
  assert.equal((await rulesOfRecord(one))!.rules[0]!.name, 'one');
  assert.deepEqual([refreshInterval(undefined), refreshInterval(60_000)], [3_600_000, 15_000]);
});

test('a file is taken over when it changes; with problems the rules stay, and at the start it stops', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'rules-'));
  const file = join(folder, 'rules.yaml');
  const problems: string[] = [];
  writeFileSync(file, one.text);
  using source = await RulesSource.open(file, (found) => problems.push(...found));
  t.after(() => rmSync(folder, { recursive: true }));
  assert.equal(source.current?.version, one.version);
  const until = async (condition: () => boolean): Promise<void> => {
    for (const deadline = Date.now() + 60_000; !condition();) {
      assert.ok(Date.now() < deadline, 'it did not come to pass');
      await sleep(50);
    }
  };
  writeFileSync(file, 'rules: [{ name: bad }]');
  await until(() => problems.length > 0);
  assert.match(problems[0]!, /rules\.yaml:1:9: rules\[0\]\.when: .* \(bad-rule\)$/);
  assert.equal(source.current?.version, one.version);
  writeFileSync(file, two.text);
  await until(() => source.current?.version === two.version);
  writeFileSync(file, 'rules: 7');
  await assert.rejects(
    RulesSource.open(file, () => {}),
    SettingsError,
  );
});
