import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  captureLog,
  correlationDocument,
  eventually,
  freePort,
  freeze,
  logEvent,
  placedEvent,
  temporaryFolder,
  unfreeze,
} from './index.ts';

test('eventually waits through what is false or fails, and tells what it waited for in vain and why', async () => {
  const outcomes = [false, new Error('not there'), true];
  let asked = 0;
  await eventually('the third time', () => {
    const outcome = outcomes[asked++]!;
    if (outcome instanceof Error) throw outcome;
    return outcome;
  });
  assert.equal(asked, 3);
  const cause = new Error('refused');
  await assert.rejects(
    eventually('never', async () => Promise.reject(cause), 1),
    (error: Error) => {
      assert.match(error.message, /: never$/);
      return error.cause === cause;
    },
  );
});

test('a frozen process does nothing from the moment that freeze() resolves until it continues', async () => {
  using folder = temporaryFolder('testing');
  const path = join(folder.path, 'counter');
  const counting = `for (let i = 0; ; i++) require('node:fs').writeFileSync(process.argv[1], String(i))`;
  const child = spawn(process.execPath, ['-e', counting, path]);
  try {
    await eventually('it counts', () => existsSync(path) && Number(readFileSync(path, 'utf8')) > 10);
    await freeze(child.pid!);
    const count = readFileSync(path, 'utf8');
    await sleep(50);
    assert.equal(readFileSync(path, 'utf8'), count);
    unfreeze(child.pid!);
    await eventually('it goes on', () => readFileSync(path, 'utf8') !== count);
  } finally {
    child.kill('SIGKILL');
  }
  await once(child, 'exit');
});

test('a free port can be listened on', async () => {
  const server = createServer().listen(await freePort(), '127.0.0.1');
  await once(server, 'listening');
  server.close();
});

test('a temporary folder goes with what it holds, at the end of its block or of the process', () => {
  let path: string;
  {
    using folder = temporaryFolder('testing');
    path = folder.path;
    writeFileSync(join(path, 'file'), '');
  }
  assert.ok(!existsSync(path));
  const program = `import { temporaryFolder } from '${new URL('temporary-folder.ts', import.meta.url).href}';
    console.log(temporaryFolder('testing').path);`;
  const left = execFileSync(process.execPath, ['--input-type=module-typescript', '-e', program], {
    encoding: 'utf8',
  });
  assert.match(left, /logloom-testing-/);
  assert.ok(!existsSync(left.trim()));
});

test('builders take the fields that are given, and make the others up', () => {
  assert.equal(logEvent(3, { service: 'web' }).service, 'web');
  assert.notDeepEqual(logEvent(3), logEvent(4));
  assert.deepEqual([placedEvent(7).offset, placedEvent(7, { offset: 8 }).offset], [7, 8]);
  assert.equal(correlationDocument('d', { revision: 2 }).revision, 2);
});

test('a captured log keeps levels, fields and messages', () => {
  const log = captureLog();
  log.warn({ a: 1 }, 'first');
  log.error('second');
  assert.deepEqual(log.lines, [
    { level: 'warn', fields: { a: 1 }, message: 'first' },
    { level: 'error', fields: {}, message: 'second' },
  ]);
});
