import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { tryLock, waitForLock } from './lock.ts';

const name = `test-${process.pid}`;

test('a lock is free again after its release', async () => {
  const lock = await tryLock(name);
  assert.ok(lock);
  assert.equal(await tryLock(name), undefined);
  const next = waitForLock(name, new AbortController().signal);
  await lock.release();
  await (await next).release();
});

test('a process that is killed leaves no lock', async () => {
  const source = `
    import { tryLock } from ${JSON.stringify(join(import.meta.dirname, 'lock.ts'))};
    await tryLock(${JSON.stringify(name)});
    console.log('locked');
    setInterval(() => {}, 1000);`;
  const owner = spawn(process.execPath, ['--input-type=module-typescript', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(owner.stdout, 'data');
  assert.equal(await tryLock(name), undefined);
  owner.kill('SIGKILL');
  const lock = await waitForLock(name, AbortSignal.timeout(30_000));
  await lock.release();
});
