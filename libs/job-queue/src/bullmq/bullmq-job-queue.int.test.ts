import { eventually, freeze, unfreeze } from '@logloom/testing';
import { Redis } from 'ioredis';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startStack } from '../../../../infra/local/start-stack.ts';
import { jobQueueContract } from '../contract/job-queue.contract.ts';
import { JobQueueError } from '../job-queue-error.ts';
import type { JobHandler, JobQueue } from '../job-queue.ts';
import { createBullJobQueue, type BullJobQueueOptions } from './bullmq-job-queue.ts';

const deadlineMs = 120_000;
const stack = await startStack({ only: ['redis'] });

describe('bullmq', { skip: stack.missing.redis ?? false }, () => {
  after(() => stack.stop());
  const url = stack.env['REDIS_URL']!;
  const newPrefix = (): string => `{test-${randomUUID()}}`;
  const withQueue = async (
    settings: Partial<BullJobQueueOptions>,
    run: (queue: JobQueue, prefix: string) => Promise<void>,
  ): Promise<void> => {
    const prefix = settings.prefix ?? newPrefix();
    const queue = createBullJobQueue({ url, prefix, ...settings });
    try {
      await run(queue, prefix);
    } finally {
      await queue.close();
    }
  };

  jobQueueContract('BullMQ', async () => createBullJobQueue({ url, prefix: newPrefix() }));

  test('an id is unique over all names, and may be anything', () =>
    withQueue({}, async (queue) => {
      const ids = ['123', 'a:b', 'repeat', '日本 %2F/?', '0', 'j-1'];
      for (const id of ids) assert.equal(await queue.add('first', id, { id }), id);
      await Promise.all(
        ids.flatMap((id) => ['first', 'second', 'third'].map((name) => queue.add(name, 'x', { id }))),
      );
      await queue.addMany([
        { name: 'second', data: 'one', id: 'new' },
        { name: 'third', data: 'two', id: 'new' },
      ]);
      for (const id of ids) {
        const { name, data } = (await queue.get(id))!;
        assert.deepEqual([name, data], ['first', id]);
      }
      assert.equal((await queue.get('new'))?.data, 'one');
      assert.deepEqual(
        await Promise.all(
          ['first', 'second', 'third'].map(async (name) => (await queue.counts(name)).waiting),
        ),
        [ids.length, 1, 0],
      );
    }));

  test('one id under several names at once is one job', () =>
    withQueue({}, async (queue) => {
      const names = ['a', 'b', 'c', 'd', 'e'];
      await Promise.all(names.map((name) => queue.add(name, name, { id: 'same' })));
      const counts = await Promise.all(names.map((name) => queue.counts(name)));
      assert.equal(
        counts.reduce((sum, { waiting }) => sum + waiting, 0),
        1,
      );
    }));

  test('finished jobs are kept by count, the newest ones', () =>
    withQueue({ keepCompleted: 2, keepFailed: 1 }, async (queue) => {
      const ids = Array.from({ length: 8 }, (_, i) => `job-${i}`);
      await queue.addMany(ids.map((id, data) => ({ name: 'n', data, id })));
      const stop = new AbortController();
      const handler: JobHandler = async ({ data }) => {
        if (data === 7) stop.abort();
        else if (Number(data) % 2 === 1) throw new Error('odd');
      };
      await queue.process('n', handler, {}, stop.signal);
      const counts = { waiting: 0, delayed: 0, active: 0, completed: 2, failed: 1 };
      assert.deepEqual(await queue.counts('n'), counts);
      const kept = await Promise.all(ids.map(async (id) => (await queue.get(id))?.state));
      assert.deepEqual(kept, [...Array<undefined>(5), 'failed', 'completed', 'completed']);
    }));

  test('a schedule follows cron; its jobs can be found; another name takes it over', () =>
    withQueue({}, async (queue) => {
      await queue.schedule('s:1', { everyMs: 3_600_000 }, 'old', 0);
      await queue.schedule('s:1', { cron: '* * * * * *' }, 'n', { tick: true });
      assert.equal((await queue.counts('old')).delayed, 0);
      const stop = new AbortController();
      const seen: unknown[] = [];
      const handler: JobHandler = async (job) => {
        seen.push(job.data, (await queue.get(job.id))?.state);
        if (seen.length === 4) stop.abort();
      };
      await queue.process('n', handler, {}, AbortSignal.any([stop.signal, AbortSignal.timeout(deadlineMs)]));
      assert.deepEqual(seen, [{ tick: true }, 'active', { tick: true }, 'active']);
      assert.equal(await queue.unschedule('s:1'), true);
      const unsupported = { code: 'unsupported-schedule' };
      await assert.rejects(queue.schedule('s', { cron: 'tomorrow' }, 'n', 0), unsupported);
      await assert.rejects(queue.schedule('s', { cron: '99 * * * *' }, 'n', 0), unsupported);
      await assert.rejects(queue.schedule('s', { everyMs: 0.5 }, 'n', 0), unsupported);
    }));

  test('the clock of a schedule that is set again with the same interval continues', () =>
    withQueue({}, async (queue) => {
      await queue.schedule('s', { everyMs: 1500 }, 'n', 'old');
      const begin = Date.now();
      const settings: Promise<void>[] = [];
      const again = setInterval(() => settings.push(queue.schedule('s', { everyMs: 1500 }, 'n', 'new')), 100);
      const stop = new AbortController();
      const seen: unknown[] = [];
      const handler: JobHandler = async (job) => {
        clearInterval(again);
        seen.push(job.data);
        stop.abort();
      };
      // A clock that began anew each time would never strike.
      await queue.process('n', handler, {}, AbortSignal.any([stop.signal, AbortSignal.timeout(deadlineMs)]));
      clearInterval(again);
      await Promise.all(settings);
      assert.deepEqual(seen, ['new']);
      assert.ok(Date.now() - begin >= 1400);
    }));

  test('a schedule with a new interval keeps to it, also after intervals that were missed', () =>
    withQueue({}, async (queue) => {
      await queue.schedule('s', { everyMs: 86_400_000 }, 'n', 0);
      await queue.schedule('s', { everyMs: 20 }, 'n', 0);
      const stop = new AbortController();
      let runs = 0;
      const handler: JobHandler = async () => {
        await sleep(50);
        if (++runs === 4) stop.abort();
      };
      await queue.process('n', handler, {}, AbortSignal.any([stop.signal, AbortSignal.timeout(deadlineMs)]));
      assert.equal(runs, 4);
    }));

  test('a worker that stood still loses its job to another, learns of it, and its result does not count', () =>
    withQueue({ leaseMs: 1000 }, async (stalled, prefix) => {
      const id = await stalled.add('n', 0);
      const stop = new AbortController();
      let takeOver: Promise<void> | undefined;
      let reason: unknown;
      const other = createBullJobQueue({ url, prefix, leaseMs: 1000 });
      const redis = new Redis(url);
      let runs = 0;
      const finish: JobHandler = async () => {
        runs++;
        await eventually('the loss was noticed', async () => reason !== undefined);
        stop.abort();
      };
      const standStill: JobHandler = async (_, signal) => {
        takeOver = other.process('n', finish, {}, stop.signal);
        // As if no renewal had come for a whole lease.
        await redis.del(`${prefix}:n:j-${id}:lock`);
        await eventually('the lease is lost', async () => signal.aborted);
        reason = signal.reason;
        await eventually('the other has it', async () => runs === 1);
        throw new Error('too late');
      };
      try {
        await stalled.process('n', standStill, {}, stop.signal);
        await takeOver;
        assert.ok(reason instanceof JobQueueError && reason.code === 'lease-lost');
        const job = await other.get(id);
        assert.deepEqual([job?.state, job?.attemptsMade, runs], ['completed', 1, 1]);
      } finally {
        stop.abort();
        redis.disconnect();
        await other.close();
      }
    }));

  test('kill -9 of the worker, again and again: every job runs, none is lost', () =>
    withQueue({ keepCompleted: 10_000 }, async (queue, prefix) => {
      const runs = new Set<string>();
      const start = () => {
        const script = join(import.meta.dirname, '../testing/bullmq-kill-worker.ts');
        const child = spawn(process.execPath, [script, url, prefix], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        createInterface(child.stdout).on('line', (id) => runs.add(id));
        return child;
      };
      const ids: string[] = [];
      let child = start();
      try {
        for (let kill = 1; kill <= 3; kill++) {
          ids.push(...(await queue.addMany(Array.from({ length: 80 }, (_, data) => ({ name: 'n', data })))));
          const target = ids.length - 40;
          await eventually('some are done', async () => (await queue.counts('n')).completed >= target);
          child.kill('SIGKILL');
          await once(child, 'exit');
          child = start();
        }
        await eventually('all are done', async () => (await queue.counts('n')).completed === ids.length);
        await eventually('all runs are told', async () => runs.size >= ids.length);
        assert.deepEqual(runs, new Set(ids));
      } finally {
        child.kill('SIGKILL');
      }
    }));

  for (const end of ['SIGTERM', 'SIGKILL'] as const)
    test(`Redis is ended by ${end} and started again during work: no job is lost`, () =>
      withQueue({ leaseMs: 2000, keepCompleted: 10_000 }, async (queue) => {
        const add = () => queue.addMany(Array.from({ length: 200 }, (_, data) => ({ name: 'n', data })));
        const ids = await add();
        const stop = new AbortController();
        const seen = new Set<string>();
        const handler: JobHandler = async (job) => {
          await sleep(10);
          seen.add(job.id);
        };
        const running = queue.process('n', handler, { concurrency: 4 }, stop.signal);
        await eventually('work has begun', async () => seen.size > 20);
        await stack.redis.kill(end);
        const added = add();
        await stack.redis.start();
        ids.push(...(await added));
        await eventually('all are done', async () => (await queue.counts('n')).completed === ids.length);
        stop.abort();
        await running;
        assert.deepEqual(seen, new Set(ids));
      }));

  // What Redis was asked when it froze never settles: each moment of a worker's life asks it something else.
  const moments = {
    'before a worker starts': async (_queue, begin, freezeRedis) => {
      await freezeRedis();
      return begin();
    },
    'while a worker starts': async (_queue, begin, freezeRedis) => {
      const running = begin();
      await sleep(3);
      await freezeRedis();
      return running;
    },
    'during a job': async (queue, begin, freezeRedis, working) => {
      const running = begin();
      await queue.add('n', 'job');
      await working;
      await freezeRedis();
      return running;
    },
  } satisfies Record<
    string,
    (
      queue: JobQueue,
      begin: () => Promise<void>,
      freezeRedis: () => Promise<void>,
      working: Promise<void>,
    ) => Promise<void>
  >;
  for (const [moment, run] of Object.entries(moments))
    test(`a Redis that freezes ${moment} does not hold up the end of the worker and of the queue`, async () => {
      const queue = createBullJobQueue({ url, prefix: newPrefix() });
      // Connected.
      await queue.counts('n');
      const stop = new AbortController();
      const working = Promise.withResolvers<void>();
      const handler: JobHandler = async (_job, signal) => {
        working.resolve();
        await sleep(deadlineMs, undefined, { signal });
      };
      const begin = (): Promise<void> => queue.process('n', handler, { exclusive: true }, stop.signal);
      let isFrozen = false;
      const freezeRedis = async (): Promise<void> => {
        await freeze(stack.redis.pid!);
        isFrozen = true;
        stop.abort();
      };
      try {
        await run(queue, begin, freezeRedis, working.promise);
        await queue.close();
        assert.ok(isFrozen);
      } finally {
        unfreeze(stack.redis.pid!);
      }
    });
});
