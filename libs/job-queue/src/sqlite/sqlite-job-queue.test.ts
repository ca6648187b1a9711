import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { jobQueueContract } from '../contract/job-queue.contract.ts';
import { JobQueueError } from '../job-queue-error.ts';
import type { JobHandler } from '../job-queue.ts';
import { openDatabase } from '@logloom/sqlite';
import { temporaryFolder } from '@logloom/testing';
import { SqliteDatabase } from './database.ts';
import { jobsPath } from './files.ts';
import { claimJob } from './jobs.ts';
import { createSqliteJobQueue } from './sqlite-job-queue.ts';

const root = temporaryFolder('job-queue').path;
after(() => rmSync(root, { recursive: true }));
const newFolder = () => mkdtempSync(join(root, 'queue-'));

jobQueueContract('SQLite', async () => createSqliteJobQueue({ folder: newFolder(), pollMs: 5 }));

test('jobs outlive the queue that they were added to', async () => {
  const folder = newFolder();
  const first = createSqliteJobQueue({ folder });
  const id = await first.add('n', { a: 1 });
  await first.close();
  const second = createSqliteJobQueue({ folder });
  assert.deepEqual((await second.get(id))?.data, { a: 1 });
  await second.close();
});

test('finished jobs are kept by count, the newest ones', async () => {
  const queue = createSqliteJobQueue({ folder: newFolder(), keepCompleted: 2, keepFailed: 1, pollMs: 5 });
  await queue.addMany([0, 1, 2, 3, 4, 5, 6, 7].map((data) => ({ name: 'n', data, id: `job-${data}` })));
  const stop = new AbortController();
  const handler: JobHandler = async ({ data }) => {
    if (data === 7) stop.abort();
    else if (Number(data) % 2 === 1) throw new Error('odd');
  };
  await queue.process('n', handler, {}, stop.signal);
  assert.deepEqual(await queue.counts('n'), { waiting: 0, delayed: 0, active: 0, completed: 2, failed: 1 });
  const ids = ['job-5', 'job-6', 'job-7'];
  assert.deepEqual(
    (await Promise.all(ids.map((id) => queue.get(id)))).map((job) => job?.state),
    ['failed', 'completed', 'completed'],
  );
  await queue.close();
});

test('a handler that outlasts its lease keeps the job, because the lease is renewed', async () => {
  const folder = newFolder();
  const settings = { folder, leaseMs: 2000, pollMs: 5 };
  const [mine, other] = [createSqliteJobQueue(settings), createSqliteJobQueue(settings)];
  await mine.add('n', 0);
  const stop = new AbortController();
  let runs = 0;
  const handler: JobHandler = async () => {
    runs++;
    await sleep(3 * settings.leaseMs);
    stop.abort();
  };
  await Promise.all([mine, other].map((queue) => queue.process('n', handler, {}, stop.signal)));
  assert.equal(runs, 1);
  assert.equal((await mine.counts('n')).completed, 1);
  await Promise.all([mine.close(), other.close()]);
});

test('a worker that stood still loses its job to another, learns of it, and its result does not count', async () => {
  const folder = newFolder();
  const stalled = createSqliteJobQueue({ folder, leaseMs: 50, pollMs: 5 });
  const other = createSqliteJobQueue({ folder, leaseMs: 60_000, pollMs: 5 });
  const id = await stalled.add('n', 0);
  const stop = new AbortController();
  const hold: JobHandler = async (_, signal) => {
    await aborted(signal);
    signal.throwIfAborted();
  };
  let takeOver: Promise<void> | undefined;
  let reason: unknown;
  const standStill: JobHandler = async (_, signal) => {
    // The thread is blocked, so that the lease cannot be renewed.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    takeOver = other.process('n', hold, {}, stop.signal);
    await aborted(signal);
    reason = signal.reason;
    stop.abort();
  };
  await stalled.process('n', standStill, {}, stop.signal);
  await takeOver;
  assert.ok(reason instanceof JobQueueError && reason.code === 'lease-lost');
  assert.equal((await stalled.get(id))?.state, 'waiting');
  await Promise.all([stalled.close(), other.close()]);
});

test('a cron schedule is refused', async () => {
  const queue = createSqliteJobQueue({ folder: newFolder() });
  await assert.rejects(queue.schedule('s', { cron: '* * * * *' }, 'n', 0), { code: 'unsupported-schedule' });
  await queue.close();
});

test('a job that outlives its lease too often fails', async () => {
  const folder = newFolder();
  const settings = { folder, leaseMs: 20, pollMs: 5, maxLapses: 2 };
  const queue = createSqliteJobQueue(settings);
  const id = await queue.add('n', 0);
  const stop = new AbortController();
  let runs = 0;
  const standStill: JobHandler = async (_, signal) => {
    runs++;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60);
    await aborted(signal);
  };
  // Each of them finds the lease of the one before run out.
  const running = queue.process('n', standStill, { concurrency: 4 }, stop.signal);
  const deadline = Date.now() + 60_000;
  while ((await queue.get(id))?.state !== 'failed' && Date.now() < deadline) await sleep(5);
  stop.abort();
  await running;
  assert.match((await queue.failed('n'))[0]?.error ?? '', /too often/);
  assert.equal(runs, 3);
  await queue.close();
});

for (const jumpMs of [3_600_000, 400 * 86_400_000]) {
  test(`after a clock that was ${jumpMs / 3_600_000} h ahead nothing waits for that time again`, async () => {
    const folder = newFolder();
    let clock = Date.UTC(2026, 10, 27);
    const open = () =>
      createSqliteJobQueue({ folder, pollMs: 5, leaseMs: 30_000, keepCompleted: 2, nowMs: () => clock });
    const queue = open();
    const work = async (until: () => Promise<boolean>, name = 'n', options = {}): Promise<unknown[]> => {
      const stop = new AbortController();
      const ran: unknown[] = [];
      const running = queue.process(name, async ({ data }) => void ran.push(data), options, stop.signal);
      const deadline = Date.now() + 60_000;
      while (!(await until())) {
        assert.ok(Date.now() < deadline, 'in time');
        await sleep(5);
      }
      stop.abort();
      await running;
      return ran;
    };
    const completed = (id: string) => async () => (await queue.get(id))?.state === 'completed';

    clock += jumpMs;
    await queue.add('n', 'finished', { id: 'finished-1' });
    await queue.add('n', 'finished', { id: 'finished-2' });
    await work(completed('finished-2'));
    await queue.add('n', 'at once', { id: 'at-once' });
    await queue.add('n', 'later', { id: 'later', delayMs: 60_000 });
    await queue.schedule('s', { everyMs: 10_000 }, 'scheduled', 's');
    // Its worker dies with the lease.
    await queue.add('exclusive', 'held', { id: 'held' });
    const db = new SqliteDatabase(jobsPath(folder));
    assert.equal(claimJob(db, 'exclusive', clock, clock + 30_000, 10, true)?.job.id, 'held');
    db.close();
    clock -= jumpMs;

    assert.deepEqual(await work(completed('at-once')), ['at once']);
    assert.equal((await queue.get('at-once'))?.state, 'completed', 'those that finished later are kept');
    assert.deepEqual((await queue.get('later'))?.state, 'delayed');
    await queue.add('scheduled', 'plain', { id: 'plain' });
    assert.deepEqual(await work(completed('plain'), 'scheduled'), ['plain']);
    clock += 11_000;
    const ran = async () => (await queue.counts('scheduled')).completed > 1;
    assert.deepEqual(await work(ran, 'scheduled'), ['s']);
    clock += 30_000;
    assert.deepEqual(await work(completed('held'), 'exclusive', { exclusive: true }), ['held']);
    clock += 30_000;
    assert.deepEqual(await work(completed('later')), ['later']);
    assert.ok((await queue.get('later'))!.finishedAt! <= clock);
    await queue.close();
  });
}

test('a file of an earlier release continues', async () => {
  const folder = newFolder();
  const queue = createSqliteJobQueue({ folder });
  await queue.add('n', 1, { id: 'old' });
  await queue.close();
  const db = openDatabase(jobsPath(folder));
  db.exec('DROP INDEX jobs_timed; ALTER TABLE jobs DROP COLUMN timed_at');
  db.close();
  const reopened = createSqliteJobQueue({ folder });
  assert.equal((await reopened.get('old'))?.state, 'waiting');
  await reopened.add('n', 2);
  assert.equal((await reopened.counts('n')).waiting, 2);
  await reopened.close();
});

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
