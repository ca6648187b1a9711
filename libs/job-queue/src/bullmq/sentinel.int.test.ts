import { eventually, freeze, unfreeze } from '@logloom/testing';
import { settingsOf } from '@logloom/settings';
import { Redis } from 'ioredis';
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startStack } from '../../../../infra/local/start-stack.ts';
import { openJobQueue, openJobRecords } from '../open.ts';
import { jobQueueSettings, redisOf } from '../settings.ts';

const isFull = process.env['LOGLOOM_FULL'] === '1';
const stack = await startStack({ only: isFull ? ['redis'] : [], redisMode: 'sentinel' });
const { env } = stack;
const skip = isFull ? (stack.missing.redis ?? false) : 'two failovers take long; LOGLOOM_FULL=1 runs it';
const [primary, replica] = stack.servers;

describe('Redis with sentinels', { skip, timeout: 180_000 }, () => {
  after(() => stack.stop());

  test('jobs and records go on when the primary dies, and when its successor is frozen', async (t) => {
    const settings = { ...redisOf(settingsOf(jobQueueSettings).parse(env)), folder: '/none' };
    await using owned = new AsyncDisposableStack();
    const queue = owned.adopt(await openJobQueue(settings), (opened) => opened.close());
    const records = owned.adopt(await openJobRecords(settings), (opened) => opened.close());
    const done = new Set<string>();
    const stop = new AbortController();
    owned.defer(() => stop.abort());
    const working = queue.process(
      'work',
      async ({ id }) => void done.add(id),
      { concurrency: 4 },
      stop.signal,
    );
    working.catch(() => {});

    const acknowledged: string[] = [];
    let adding = true;
    const traffic = (async () => {
      for (let i = 0; adding; i++) {
        acknowledged.push(await queue.add('work', i, { id: `job-${i}` }));
        await records.put('seen', String(i), i);
        await sleep(5);
      }
    })();

    await eventually('jobs', async () => done.size > 50);
    const first = await replicated(primary!.port, acknowledged);
    await primary!.kill('SIGKILL');
    const failedOver = acknowledged.length;
    await eventually('jobs at the new primary', async () => acknowledged.length > failedOver + 50, 60_000);
    t.diagnostic(`${failedOver} jobs were acknowledged before the primary died`);
    await primary!.start();
    await eventually('the old primary as a replica', async () => (await roleOf(primary!.port)) === 'slave');

    const second = await replicated(replica!.port, acknowledged);
    await freeze(replica!.pid!);
    const frozen = acknowledged.length;
    await eventually('jobs at the old primary', async () => acknowledged.length > frozen + 50, 60_000);
    unfreeze(replica!.pid!);

    adding = false;
    await traffic;
    // What both servers had, and what the present one acknowledged.
    const certain = [...acknowledged.slice(0, first), ...acknowledged.slice(failedOver + 50, second)];
    certain.push(...acknowledged.slice(frozen + 50));
    await eventually(
      'every job that a failover cannot lose',
      async () => certain.every((id) => done.has(id)),
      60_000,
    );
    const lost = acknowledged.filter((id) => !done.has(id));
    t.diagnostic(`${acknowledged.length} jobs acknowledged, ${lost.length} lost by the failovers`);
    assert.equal(await records.get('seen', '0'), 0);
  });
});

/** Returns how many of the acknowledged the replica has, too. */
async function replicated(port: number, acknowledged: readonly string[]): Promise<number> {
  const redis = new Redis(port);
  const count = acknowledged.length;
  // A WAIT without a write of its own waits for nothing.
  await redis.set('{logloom}:mark', count);
  assert.equal(await redis.wait(1, 10_000), 1);
  redis.disconnect();
  return count;
}

async function roleOf(port: number): Promise<string> {
  const redis = new Redis(port);
  redis.on('error', () => {});
  try {
    return String((await redis.role())[0]);
  } finally {
    redis.disconnect();
  }
}
