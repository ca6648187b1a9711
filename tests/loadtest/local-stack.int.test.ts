import { eventually, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { findProcess } from '../../apps/loadtest/src/faults/keeper/find-process.ts';
import { KeeperProcess } from '../../apps/loadtest/src/faults/keeper/keeper-process.ts';
import { readRecord } from '../../infra/local/run-folder.ts';
import { startStack } from '../../infra/local/start-stack.ts';

const probe = await startStack({ only: ['redis'] });
await probe.stop();
const run = promisify(execFile);

test(
  'a server of the local stack is killed by its name, and the stack starts it again',
  { skip: probe.missing.redis ?? false },
  async () => {
    const folder = temporaryFolder('loadtest-stack');
    const dir = join(folder.path, 'stack');
    const stack = async (command: string): Promise<void> => {
      await run(process.execPath, [
        join(import.meta.dirname, '../../infra/local/stack.ts'),
        ...[command, '--only', 'redis', '--dir', dir],
      ]);
    };
    await stack('start');
    after(() => stack('stop'));
    const names = { pids: {}, stackFolder: dir, ports: {} };
    const { pid } = findProcess('redis', names);
    const keeper = new KeeperProcess();
    after(() => keeper.close());
    const journal = join(folder.path, 'journal');
    await keeper.start({ run: 'stack', folder: journal, names, commands: {} });
    const kill = {
      kind: 'kill' as const,
      process: 'redis',
      signal: 'SIGKILL' as const,
      restart: true,
      atSeconds: 0,
      seconds: 1,
    };
    assert.equal(await keeper.begin(1, kill), null);
    assert.throws(() => findProcess('redis', names), { code: 'fault-unavailable' });
    assert.equal(readdirSync(journal).length, 1);
    const { undone, detail } = await keeper.end(1);
    assert.ok(undone, detail);
    const again = findProcess('redis', names);
    assert.notEqual(again.pid, pid);
    assert.equal(detail, `the local stack runs it as process ${again.pid} now`);
    await eventually(
      'the stack knows it',
      async () => (await readRecord(dir))!.servers[0]!.pid === again.pid,
    );
    assert.deepEqual(readdirSync(journal), []);
  },
);
