import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

const program = (isKeptSmall: boolean): string => `
  import { keepYoungGenerationSmall, youngGenerationBytes } from '${new URL('young-generation.ts', import.meta.url).href}';
  if (${isKeptSmall}) keepYoungGenerationSmall();
  let kept = [];
  for (let i = 0; i < 3e6; i++) {
    const garbage = { i, pair: [i, i] };
    if (i % 4 === 0) kept.push(garbage);
    if (kept.length > 3e5) kept = [];
  }
  console.log(youngGenerationBytes());
`;

function bytesAfterWork(isKeptSmall: boolean): number {
  const flags = ['--input-type=module', '--eval', program(isKeptSmall)];
  return Number(execFileSync(process.execPath, flags, { encoding: 'utf8' }));
}

test('the young generation stays small where it is told to, and grows elsewhere', () => {
  const small = bytesAfterWork(true);
  assert.ok(small > 0 && small <= 16 * 2 ** 20, `${small} bytes`);
  // When V8 no longer grows it by itself, the flag has lost its reason.
  assert.ok(bytesAfterWork(false) >= 2 * small);
});
