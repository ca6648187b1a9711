import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runTogether } from './run-tests.ts';

const folder = temporaryFolder('run-tests');
after(() => folder[Symbol.dispose]());

function file(name: string, source: string): string {
  const path = join(folder.path, name);
  writeFileSync(path, `import { after, test } from 'node:test';\n${source}`);
  return path;
}

const good = file('good.test.ts', `test('one', () => {}); test('two', () => {}); test.skip('three');`);
const bad = file('bad.test.ts', `test('one', () => { throw new Error('wrong'); });`);
const badHook = file('bad-hook.test.ts', `after(() => { throw new Error('hook'); }); test('one', () => {});`);
const empty = file('empty.test.ts', '');
const broken = file('broken.test.ts', `throw new Error('no import');`);

test('of files in one process each has its own results', async () => {
  const { passed, failures, skips } = await runTogether([good, bad, badHook, empty, broken]);
  assert.equal(passed, 3);
  assert.deepEqual(failures, [
    { file: bad, name: 'one' },
    { file: badHook, name: badHook },
    { file: empty, name: empty },
    { file: broken, name: broken },
  ]);
  assert.deepEqual(
    skips.map(({ file: skipped, name }) => [skipped, name]),
    [[good, 'three']],
  );
});

test('when their process ends badly, each runs alone', async () => {
  const exits = file('exits.test.ts', `test('one', () => {}); process.once('exit', () => process.exit(3));`);
  const { passed, failures } = await runTogether([good, exits]);
  assert.equal(passed, 3);
  assert.deepEqual(failures, [{ file: exits, name: exits }]);
});
