import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'node:test';
import {
  JobQueueError,
  RetryLaterError,
  UnrecoverableJobError,
  type JobQueueErrorCode,
} from '../job-queue-error.ts';
import type { JobHandler, JobQueue, JobState } from '../job-queue.ts';

const deadlineMs = 60_000;

/** What every adapter must do. `open` returns a queue of its own store; the suite closes it. */
export function jobQueueContract(adapter: string, open: () => Promise<JobQueue>): void {
  const withQueue = (title: string, body: (queue: JobQueue, name: string) => Promise<void>): void => {
    test(title, async () => {
      const queue = await open();
      try {
        await body(queue, `jobs-${randomUUID()}`);
      } finally {
        await queue.close();
      }
    });
  };

  describe(`${adapter}: job queue`, () => {
    withQueue('a job is run once with its data and is then completed', async (queue, name) => {
      const id = await queue.add(name, { n: [1, 'two', null] });
      const seen: unknown[] = [];
      await work(queue, name, async (job) => void seen.push(job.data), { [id]: 'completed' });
      assert.deepEqual(seen, [{ n: [1, 'two', null] }]);
      assert.deepEqual(await queue.counts(name), {
        waiting: 0,
        delayed: 0,
        active: 0,
        completed: 1,
        failed: 0,
      });
    });

    withQueue('the same id twice is one job, and the first data stay', async (queue, name) => {
      const id = randomUUID();
      assert.equal(await queue.add(name, 'first', { id }), id);
      assert.deepEqual(await queue.addMany([{ name, data: 'second', id }]), [id]);
      assert.equal((await queue.get(id))?.data, 'first');
      assert.equal((await queue.counts(name)).waiting, 1);
    });

    withQueue('addMany adds all or none', async (queue, name) => {
      const jobs = [1, 2, 3].map((data) => ({ name, data }));
      await rejects(queue.addMany([...jobs, { name, data: 4, attempts: 0 }]), 'bad-job');
      assert.equal((await queue.counts(name)).waiting, 0);
      const ids = await queue.addMany(jobs);
      assert.deepEqual(await Promise.all(ids.map(async (id) => (await queue.get(id))?.data)), [1, 2, 3]);
    });

    withQueue('one worker takes due jobs in the order in which they were added', async (queue, name) => {
      const ids = await queue.addMany([1, 2, 3, 4, 5].map((data) => ({ name, data })));
      const seen: unknown[] = [];
      await work(queue, name, async (job) => void seen.push(job.data), { [ids[4]!]: 'completed' });
      assert.deepEqual(seen, [1, 2, 3, 4, 5]);
    });

    withQueue('at most `concurrency` jobs run at once', async (queue, name) => {
      const ids = await queue.addMany(Array.from({ length: 9 }, (_, data) => ({ name, data })));
      let running = 0;
      let most = 0;
      const handler = async () => {
        most = Math.max(most, ++running);
        await sleep(5);
        running--;
      };
      await work(queue, name, handler, Object.fromEntries(ids.map((id) => [id, 'completed'])), 3);
      assert.ok(most > 1 && most <= 3, `${most} at once`);
    });

    withQueue('of an exclusive name one job runs at a time, however many workers', async (queue, name) => {
      const ids = await queue.addMany(Array.from({ length: 6 }, (_, data) => ({ name, data })));
      let running = 0;
      let most = 0;
      const handler = async (): Promise<void> => {
        most = Math.max(most, ++running);
        await sleep(20);
        running--;
      };
      const stop = new AbortController();
      const workers = [1, 2].map(() => queue.process(name, handler, { exclusive: true }, stop.signal));
      const isDone = async (): Promise<boolean> => (await queue.counts(name)).completed === ids.length;
      try {
        await eventually('all completed', isDone);
      } finally {
        stop.abort();
        await Promise.all(workers);
      }
      assert.equal((await queue.counts(name)).completed, ids.length);
      assert.equal(most, 1);
    });

    withQueue('a job that fails is tried again, up to its attempts', async (queue, name) => {
      const backoff = { type: 'exponential', delayMs: 1, jitter: 0.5 } as const;
      const heals = await queue.add(name, 'heals', { attempts: 3, backoff });
      const stays = await queue.add(name, 'stays', { attempts: 2, backoff });
      const handler: JobHandler = async (job) => {
        if (job.data === 'stays' || job.attemptsMade < 3) throw new Error(`attempt ${job.attemptsMade}`);
      };
      await work(queue, name, handler, { [heals]: 'completed', [stays]: 'failed' });
      assert.equal((await queue.get(heals))?.attemptsMade, 3);
      const [failed, ...others] = await queue.failed(name);
      assert.deepEqual([failed?.id, failed?.attemptsMade, failed?.error], [stays, 2, 'attempt 2']);
      assert.deepEqual(others, []);
    });

    withQueue(
      'an UnrecoverableJobError fails a job at once; retry() gives it its attempts again',
      async (queue, name) => {
        const id = await queue.add(name, 0, { attempts: 5 });
        const refuse = async () => {
          throw new UnrecoverableJobError('no such file');
        };
        await work(queue, name, refuse, { [id]: 'failed' });
        assert.equal((await queue.get(id))?.attemptsMade, 1);
        await queue.retry(id);
        assert.equal((await queue.get(id))?.attemptsMade, 0);
        await work(queue, name, async () => {}, { [id]: 'completed' });
        await rejects(queue.retry(id), 'job-not-failed');
        await rejects(queue.retry(randomUUID()), 'job-not-found');
      },
    );

    withQueue(
      'a RetryLaterError sets the time of the next attempt, later or earlier',
      async (queue, name) => {
        const backoff = { type: 'fixed', delayMs: 3_600_000 } as const;
        const soon = await queue.add(name, 0, { attempts: 2, backoff });
        const later = await queue.add(name, 3_600_000, { attempts: 2, backoff: { ...backoff, delayMs: 0 } });
        const fail: JobHandler = async ({ attemptsMade, data }) => {
          if (attemptsMade === 1) throw new RetryLaterError('busy', data as number);
        };
        await work(queue, name, fail, { [soon]: 'completed', [later]: 'delayed' });
        assert.deepEqual(
          [(await queue.get(later))?.attemptsMade, (await queue.get(later))?.error],
          [1, 'busy'],
        );
      },
    );

    withQueue('a delayed job waits, and can be removed', async (queue, name) => {
      const id = await queue.add(name, 0, { delayMs: 3_600_000 });
      assert.equal((await queue.get(id))?.state, 'delayed');
      assert.equal((await queue.counts(name)).delayed, 1);
      const soon = await queue.add(name, 1, { delayMs: 20 });
      const seen: unknown[] = [];
      await work(queue, name, async (job) => void seen.push(job.data), { [soon]: 'completed' });
      assert.deepEqual(seen, [1]);
      assert.equal(await queue.remove(id), true);
      assert.equal(await queue.remove(id), false);
      assert.equal(await queue.get(id), undefined);
    });

    withQueue('progress is stored, and a job in work cannot be removed', async (queue, name) => {
      const id = await queue.add(name, 0);
      let during: unknown;
      const handler: JobHandler = async (job) => {
        await job.reportProgress(0.5);
        during = (await queue.get(id))?.progress;
        await rejects(queue.remove(id), 'job-active');
      };
      await work(queue, name, handler, { [id]: 'completed' });
      assert.equal(during, 0.5);
    });

    withQueue(
      'a worker that is stopped gives its job back, and the attempt does not count',
      async (queue, name) => {
        const id = await queue.add(name, 0);
        const stop = new AbortController();
        const handler: JobHandler = async (_, signal) => {
          stop.abort();
          signal.throwIfAborted();
        };
        await queue.process(name, handler, {}, stop.signal);
        const job = await queue.get(id);
        assert.deepEqual([job?.state, job?.attemptsMade], ['waiting', 0]);
      },
    );

    withQueue('a schedule adds a job each interval until it is ended', async (queue, name) => {
      const id = randomUUID();
      await queue.schedule(id, { everyMs: 3_600_000 }, name, 'old');
      await queue.schedule(id, { everyMs: 5 }, name, 'new');
      const seen: unknown[] = [];
      const stop = new AbortController();
      const handler: JobHandler = async (job) => {
        seen.push(job.data);
        if (seen.length === 3) stop.abort();
      };
      await queue.process(name, handler, {}, AbortSignal.any([stop.signal, AbortSignal.timeout(deadlineMs)]));
      assert.deepEqual(seen, ['new', 'new', 'new']);
      assert.equal(await queue.unschedule(id), true);
      assert.equal(await queue.unschedule(id), false);
    });

    withQueue('what cannot be a job is refused', async (queue, name) => {
      await rejects(queue.add(name, undefined), 'bad-job');
      await rejects(queue.add('', 0), 'bad-job');
      await rejects(queue.add(name, 0, { delayMs: -1 }), 'bad-job');
      await rejects(queue.add(name, 0, { backoff: { type: 'fixed', delayMs: 1, jitter: 2 } }), 'bad-job');
    });

    test('close() stops the workers, and then every call is refused', async () => {
      const queue = await open();
      const id = await queue.add('n', 0);
      let closing: Promise<void> | undefined;
      const handler: JobHandler = async (_, signal) => {
        closing = queue.close();
        signal.throwIfAborted();
      };
      await queue.process('n', handler, {}, new AbortController().signal);
      await closing;
      await rejects(queue.get(id), 'closed');
      await rejects(queue.add('n', 0), 'closed');
    });
  });
}

/** Works the jobs of a name until each of these is in its state. */
async function work(
  queue: JobQueue,
  name: string,
  handler: JobHandler,
  until: Record<string, JobState>,
  concurrency = 1,
): Promise<void> {
  const stop = new AbortController();
  const running = queue.process(name, handler, { concurrency }, stop.signal);
  const deadline = Date.now() + deadlineMs;
  try {
    for (const [id, state] of Object.entries(until)) {
      while ((await queue.get(id))?.state !== state) {
        assert.ok(Date.now() < deadline, `the job ${id} did not become ${state}`);
        await sleep(2);
      }
    }
  } finally {
    stop.abort();
    await running;
  }
}

async function rejects(call: Promise<unknown>, code: JobQueueErrorCode): Promise<void> {
  await assert.rejects(call, (error) => error instanceof JobQueueError && error.code === code);
}
