import { parseRules } from '@logloom/rules/rules-file';
import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { test } from 'node:test';
import { createCli } from '../cli.ts';
import { CommandError } from './command-errors.ts';

async function run(args: string[]): Promise<{ out: string; notes: string; exitCode: number }> {
  const out: string[] = [];
  const notes: string[] = [];
  const cli = createCli({
    env: {},
    signal: new AbortController().signal,
    write: (line) => out.push(line),
    note: (line) => notes.push(stripVTControlCharacters(line)),
  });
  let exitCode = 0;
  try {
    await cli.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    exitCode = error.exitCode;
    notes.push(error.message);
  }
  return { out: out.join('\n'), notes: notes.join('\n'), exitCode };
}

const sigma = `
title: Failed logins
logsource: { category: authentication }
detection: { selection: { outcome: 0, n|gte: 3 }, timeframe: 5m, condition: selection | count() by address > 20 }
`;
const ruler = `
groups:
  - name: g
    rules:
      - { alert: Down, expr: up == 0 }
      - { alert: Silent, expr: 'absent_over_time({app="shop"}[5m])' }
`;

test('rules import writes a rules file, and reports of each rule what became of it', async () => {
  using temporary = temporaryFolder('import');
  const folder = temporary.path;
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const [a, b] = [file('a.yml', sigma), file('b.yml', ruler)];
  const mapping = file('names.yaml', 'logsources: [{ category: authentication, filter: "service:auth" }]');

  const { out, notes, exitCode } = await run(['rules', 'import', a, b, '--mapping', mapping]);
  assert.equal(exitCode, 1);
  assert.match(
    notes,
    /Failed logins \(.*a\.yml\) → Failed-logins: translated\n {2}note: events without address/,
  );
  assert.match(notes, /Down \(.*b\.yml\): not translated\n {2}its expression is not LogQL/);
  assert.match(notes, /2 translated, 0 translated with a difference, 1 not translated/);
  const read = parseRules(out);
  assert.ok(read.ok);
  assert.deepEqual(
    read.rules.windows.map(({ name, conditionText }) => [name, conditionText]),
    [
      ['Failed-logins', 'count > 20 in 5m'],
      ['Silent', 'absent in 5m'],
    ],
  );

  const json = await run(['rules', 'import', a, '--json']);
  const { rules } = JSON.parse(json.out) as { rules: { status: string; rule: { when: string } }[] };
  assert.deepEqual([json.exitCode, rules[0]!.status], [0, 'translated with a difference']);

  const missing = await run(['rules', 'import', join(folder, 'none.yml')]);
  assert.deepEqual([missing.exitCode, missing.out], [2, '']);
  const wrong = await run(['rules', 'import', a, '--mapping', b]);
  assert.equal(wrong.exitCode, 2);
  assert.match(wrong.notes, /groups/);
});

test('rules examples prints rules that can be used as they are', async () => {
  const { out, exitCode } = await run(['rules', 'examples']);
  assert.equal(exitCode, 0);
  const read = parseRules(out);
  assert.ok(read.ok && read.warnings.length === 0 && read.rules.windows.length > 10);
});
