import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { importCycles } from './import-cycles.ts';

const root = join(import.meta.dirname, '../..');

test('no file imports itself through others, types included', () => {
  const listed = ['ls-files', '--cached', '--others', '--exclude-standard'];
  const files = execFileSync('git', listed, { cwd: root, encoding: 'utf8' }).trim().split('\n');
  assert.deepEqual(importCycles(root, files), []);
});

test('a cycle is found: by values, by types alone, in JSDoc, and through the name of a package', () => {
  using temporary = temporaryFolder('cycles');
  const folder = temporary.path;
  const files: Record<string, string> = {
    'values/a.ts': `import { b } from './b.ts';\nexport const a = b;\n`,
    'values/b.ts': `import { c } from '../values/c.ts';\nexport const b = c;\n`,
    'values/c.ts': `export const c = async () => (await import('./a.ts')).a;\n`,
    'values/leaf.ts': `export { a } from './a.ts';\n`,
    'types/one.ts': `import type { Two } from './two.ts';\nexport interface One { two: Two }\n`,
    'types/two.ts': `export interface Two { one: import('./one.ts').One }\n`,
    'page/x.js': `/** @import { Y } from './y.js' */\nexport const x = 1;\n`,
    'page/y.js': `import { x } from './x.js';\nexport class Y { x = x }\n`,
    'lib/package.json': `{"name": "@made-up/lib", "exports": {".": "./index.ts", "./part": {"default": "./part.ts"}}}`,
    'lib/index.ts': `export { part } from './part.ts';\n`,
    'lib/part.ts': `import { user } from '../user/user.ts';\nexport const part = user;\n`,
    'user/user.ts': `import { part } from '@made-up/lib/part';\nexport const user = () => part;\n`,
    'itself/self.ts': `import { self } from './self.ts';\nexport const self = self;\n`,
  };
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  assert.deepEqual(importCycles(folder, Object.keys(files)), [
    ['itself/self.ts'],
    ['lib/part.ts', 'user/user.ts'],
    ['page/x.js', 'page/y.js'],
    ['types/one.ts', 'types/two.ts'],
    ['values/a.ts', 'values/b.ts', 'values/c.ts'],
  ]);
});
