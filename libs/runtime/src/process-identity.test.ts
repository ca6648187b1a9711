import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { identityOf, isAlive, isStopped, parentOf } from './process-identity.ts';

test('a process is itself until it ends, and nobody else with its number', async () => {
  const child = spawn('sleep', ['60']);
  const identity = identityOf(child.pid!)!;
  assert.ok(isAlive(identity));
  assert.ok(!isAlive({ ...identity, startTime: '1' }));
  assert.ok(!isStopped(child.pid!));
  assert.equal(parentOf(child.pid!), process.pid);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.ok(!isAlive(identity));
  assert.equal(identityOf(child.pid!), undefined);
});
