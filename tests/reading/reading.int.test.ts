import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CaseRunner } from './case-runner.ts';
import { compareCase } from './compare-case.ts';
import { notYet } from './not-yet.ts';
import { readCases, type ReadingCase } from './reading-case.ts';

// The cases say what becomes of times without a zone in UTC.
process.env['TZ'] = 'UTC';

/** Only the cases whose kind/id matches. */
const only = new RegExp(process.env['READING_ONLY'] ?? '');

test('what the field writes is read as it is meant', async () => {
  const cases = readCases().filter(({ kind, id }) => only.test(`${kind}/${id}`));
  const listed = new Set<string>(notYet);
  const kinds = new Map<string, { right: number; all: number; lines: string[] }>();
  const unexpected: string[] = [];
  await using runner = await CaseRunner.start();
  for (const each of cases) {
    const name = `${each.kind}/${each.id}`;
    const problems = await problemsOf(runner, each);
    const isRight = problems.length === 0;
    const kind = kinds.get(each.kind) ?? { right: 0, all: 0, lines: [] };
    kinds.set(each.kind, kind);
    kind.all++;
    if (isRight) kind.right++;
    else kind.lines.push(...problems.map((line) => `  ${each.id}: ${line}`));
    if (isRight && listed.has(name)) unexpected.push(`${name} is right: remove it from not-yet.ts`);
    if (!isRight && !listed.has(name)) unexpected.push(`${name}: ${problems.join('; ')}`);
    listed.delete(name);
  }
  for (const [name, { right, all, lines }] of kinds)
    console.log([`${name} ${right}/${all}`, ...lines].join('\n'));
  const right = [...kinds.values()].reduce((sum, kind) => sum + kind.right, 0);
  console.log(`all ${right}/${cases.length}`);
  if (process.env['READING_ONLY'] === undefined)
    unexpected.push(...[...listed].map((name) => `${name} in not-yet.ts is no case`));
  assert.equal(unexpected.length, 0, `\n${unexpected.join('\n')}`);
});

async function problemsOf(runner: CaseRunner, each: ReadingCase): Promise<string[]> {
  try {
    return compareCase(each, await runner.run(each));
  } catch (error) {
    return [(error as Error).message];
  }
}
