import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { execFile } from 'node:child_process';
import { join } from 'node:path';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../..');

for (const flag of ['--version', '-V'])
  test(`${flag} prints the version of the repository, and exits with 0`, async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    const { stdout } = await run(process.execPath, [join(root, 'apps/logloom/src/main.ts'), flag]);
    assert.equal(stdout, `${version}\n`);
  });
