import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { memoryBudget, memoryLimit } from './memory-budget.ts';

test('a budget is a share of the memory that there is, and never more than it is told', () => {
  assert.ok(memoryLimit() > 0 && Number.isFinite(memoryLimit()));
  assert.equal(memoryBudget(0.25), Math.floor(memoryLimit() / 4));
  assert.equal(memoryBudget(0.25, 1000), 1000);
});

test('a smaller heap makes smaller budgets', () => {
  const file = new URL('memory-budget.ts', import.meta.url).href;
  const code = `import(${JSON.stringify(file)}).then((m) => console.log(m.memoryLimit()))`;
  const limit = Number(execFileSync(process.execPath, ['--max-old-space-size=100', '-e', code]));
  assert.ok(limit < 500 * 2 ** 20, String(limit));
});
