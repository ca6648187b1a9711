import { eventually, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, readRecord, type StackRecord } from './run-folder.ts';
import { startStack } from './start-stack.ts';

const probe = await startStack({ only: ['redis'] });
after(() => probe.stop());
const skip = probe.missing.redis ?? false;

const dirs: string[] = [];
after(() => dirs.forEach((dir) => rmSync(dir, { recursive: true })));

test('a stack in the background: start, env, status, one at a time, stop', { skip }, async () => {
  const dir = newDir();
  const before = await command('env', '--dir', dir);
  assert.equal(before.code, 1);
  assert.match(before.err, /no stack runs/);

  const started = await command('start', '--only', 'redis', '--dir', dir);
  assert.equal(started.code, 0, started.err);
  assert.match(started.out, /^REDIS_URL=redis:\/\/127\.0\.0\.1:\d+\n$/);
  assert.equal((await command('env', '--dir', dir)).out, started.out);
  assert.match((await command('status', '--dir', dir)).out, /^redis +port \d+ +up /);
  assert.match((await command('run', '--only', 'redis', '--dir', dir)).err, /already/);

  const record = (await readRecord(dir))!;
  assert.equal((await command('stop', '--dir', dir)).code, 0);
  assert.deepEqual(survivors(record), []);
  assert.equal((await command('status', '--dir', dir)).code, 1);
});

test('kill -9 of the stack leaves no engine behind', { skip }, async () => {
  const dir = newDir();
  assert.equal((await command('start', '--only', 'redis', '--dir', dir)).code, 0);
  const record = (await readRecord(dir))!;
  process.kill(record.supervisor.pid, 'SIGKILL');
  const deadline = Date.now() + 30_000;
  while (survivors(record).length > 0 && Date.now() < deadline) await delay(50);
  assert.deepEqual(survivors(record), []);
  assert.equal((await command('env', '--dir', dir)).code, 1);
  assert.equal((await command('stop', '--dir', dir)).code, 0);
});

test('a server that was killed runs again when the stack is asked for it', { skip }, async () => {
  const dir = newDir();
  assert.equal((await command('start', '--only', 'redis', '--dir', dir)).code, 0);
  const { supervisor, servers } = (await readRecord(dir))!;
  const [{ pid, port }] = servers as [(typeof servers)[0]];
  process.kill(pid, 'SIGKILL');
  // The stack may not have noticed yet; asking again does no harm.
  await eventually('it runs again', async () => {
    process.kill(supervisor.pid, 'SIGUSR2');
    const [again] = (await readRecord(dir))!.servers;
    return again !== undefined && again.pid !== pid && isAlive(again) && again.port === port;
  });
  const record = (await readRecord(dir))!;
  assert.equal((await command('stop', '--dir', dir)).code, 0);
  assert.deepEqual(survivors(record), []);
});

test('a start is empty, one with --keep takes up the data of the run before', { skip }, async () => {
  const dir = newDir();
  const marker = join(dir, 'redis/data/marker');
  const startAndStop = async (...args: string[]): Promise<void> => {
    assert.equal((await command('start', '--only', 'redis', '--dir', dir, ...args)).code, 0);
    assert.equal((await command('stop', '--dir', dir)).code, 0);
  };
  await startAndStop();
  writeFileSync(marker, '');
  await startAndStop('--keep');
  assert.ok(existsSync(marker));
  await startAndStop();
  assert.ok(!existsSync(marker));
});

test('a port that is in use fails the start, and no folder stays behind', { skip }, async () => {
  const temporary = newDir();
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = temporary;
  const start = startStack({ only: ['redis'], ports: { redis: probe.redis.port } });
  await assert.rejects(start, new RegExp(`port ${probe.redis.port} of 127.0.0.1 is in use`));
  if (before === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = before;
  assert.deepEqual(readdirSync(temporary), []);
});

function newDir(): string {
  const dir = temporaryFolder('stack-command').path;
  dirs.push(dir);
  return dir;
}

function survivors({ supervisor, servers }: StackRecord): unknown[] {
  return [supervisor, ...servers].filter(isAlive);
}

async function command(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'stack.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, out, err };
}
