import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { Pipeline } from './pipeline.ts';

const root = join(import.meta.dirname, '../..');

test("TERM to npm start ends the server: a service manager knows npm's process only", async () => {
  await using pipeline = await Pipeline.create();
  // A group of its own, so that nothing is left over should it fail.
  const npm = spawn('npm', ['start'], { cwd: root, env: pipeline.env, stdio: 'ignore', detached: true });
  try {
    await eventually('ready', async () => (await fetch(`${pipeline.viewersUrl}/health/ready`)).ok);
    const ended = once(npm, 'exit');
    npm.kill('SIGTERM');
    await ended;
    await eventually('the port is free', () =>
      fetch(`${pipeline.viewersUrl}/health/live`).then(
        () => false,
        () => true,
      ),
    );
    // The data folder is free too.
    await pipeline.start();
  } finally {
    try {
      process.kill(-npm.pid!, 'SIGKILL');
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH');
    }
  }
});
