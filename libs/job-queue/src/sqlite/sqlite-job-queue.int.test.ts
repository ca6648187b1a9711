import { eventually, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSqliteJobQueue } from './sqlite-job-queue.ts';

const batchSize = 60;
// As in sqlite-kill-worker.ts.
const concurrency = 4;
const kills = 6;

test('kill -9 of the worker, again and again: every job runs, none is lost, completed ones do not run again', async () => {
  const folder = temporaryFolder('job-queue-kill').path;
  const queue = createSqliteJobQueue({ folder, keepCompleted: 10_000 });
  const worker = () =>
    spawn(process.execPath, [join(import.meta.dirname, '../testing/sqlite-kill-worker.ts'), folder], {
      stdio: 'inherit',
    });
  const runs = () =>
    existsSync(join(folder, 'runs')) ? readFileSync(join(folder, 'runs'), 'utf8').trim().split('\n') : [];
  const ids = new Set<string>();
  const addBatch = async () => {
    const batch = Array.from({ length: batchSize }, (_, n) => ({
      name: 'n',
      data: n,
      id: `job-${ids.size + n}`,
    }));
    for (const id of await queue.addMany(batch)) ids.add(id);
  };
  const completed = async () => (await queue.counts('n')).completed;
  const atKills: { runs: number; completed: Set<string> }[] = [];
  await addBatch();
  let child = worker();
  try {
    for (let kill = 1; kill <= kills; kill++) {
      const target = (await completed()) + batchSize / 3;
      await eventually(`${target} completed`, async () => (await completed()) >= target);
      child.kill('SIGKILL');
      await once(child, 'exit');
      const done = new Set<string>();
      for (const id of ids) if ((await queue.get(id))?.state === 'completed') done.add(id);
      atKills.push({ runs: runs().length, completed: done });
      await addBatch();
      child = worker();
    }
    await eventually('all completed', async () => (await completed()) === ids.size);
    assert.deepEqual(new Set(runs()), ids);
    for (const atKill of atKills) {
      const again = runs()
        .slice(atKill.runs)
        .filter((id) => atKill.completed.has(id));
      assert.deepEqual(again, []);
    }
    // Only a job that was in hand when its worker died runs twice.
    assert.ok(runs().length <= ids.size + concurrency * kills, `${runs().length} runs of ${ids.size} jobs`);
  } finally {
    child.kill('SIGKILL');
    await queue.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
