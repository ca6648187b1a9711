import { eventually, freeze, unfreeze } from '@logloom/testing';
import { settingsOf } from '@logloom/settings';
import { Redis } from 'ioredis';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sentinelRules, startStack, type Stack } from '../../../../infra/local/start-stack.ts';
import { openJobQueue, openJobRecords } from '../open.ts';
import { jobQueueSettings, redisOf } from '../settings.ts';

const isFull = process.env['LOGLOOM_FULL'] === '1';
const plain = await start(false);
const secured = await start(true);

suite('Redis with sentinels', plain);
suite('Redis with sentinels by TLS, from users who may do what is documented', secured);

test('what docs/engines.md says that the user of the sentinels needs is what the secured ones allow', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../../docs/engines.md'), 'utf8');
  assert.ok(page.includes(`user logloom on >… ${sentinelRules}\n`));
});

function start(isSecured: boolean): Promise<Stack> {
  return startStack({ only: isFull ? ['redis'] : [], redisMode: 'sentinel', secured: isSecured });
}

function suite(name: string, stack: Stack): void {
  const skip = isFull ? (stack.missing.redis ?? false) : 'two failovers take long; LOGLOOM_FULL=1 runs it';
  describe(name, { skip, timeout: 180_000 }, () => {
    after(() => stack.stop());
    failovers(stack);
    if (stack.security !== undefined) refusals(stack);
  });
}

/** Of the sentinels: those of the servers are tested without them. */
function refusals({ env, security }: Stack): void {
  const wrong: Record<string, [Record<string, string | undefined>, RegExp]> = {
    'a wrong password for the sentinels': [
      { REDIS_SENTINEL_PASSWORD_FILE: undefined, REDIS_SENTINEL_PASSWORD: 'not-it' },
      /REDIS_SENTINEL/,
    ],
    'no login at the sentinels': [
      { REDIS_SENTINEL_PASSWORD_FILE: undefined, REDIS_SENTINEL_USERNAME: undefined },
      /REDIS_SENTINEL/,
    ],
    'an authority that is not trusted': [{ REDIS_TLS_CA_FILE: undefined }, /REDIS_TLS_CA/],
  };
  for (const [what, [changed, reason]] of Object.entries(wrong))
    test(`${what}: one line that names the setting and no secret`, async () => {
      const parsed = redisOf(settingsOf(jobQueueSettings).parse({ ...env, ...changed }));
      await assert.rejects(
        openJobQueue({ ...parsed, folder: '/none' }),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, 'engine-access-denied');
          assert.match(error.message, /^Redis \(REDIS_URL\): /);
          assert.match(error.message, reason);
          return !error.message.includes(security!.password) && !error.message.includes('not-it');
        },
      );
    });
}

function failovers(stack: Stack): void {
  const { env } = stack;
  const [primary, replica] = stack.servers;

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
    const first = await replicated(stack, primary!.port, acknowledged);
    await primary!.kill('SIGKILL');
    const failedOver = acknowledged.length;
    await eventually('jobs at the new primary', async () => acknowledged.length > failedOver + 50, 60_000);
    t.diagnostic(`${failedOver} jobs were acknowledged before the primary died`);
    await primary!.start();
    await eventually(
      'the old primary as a replica',
      async () => (await roleOf(stack, primary!.port)) === 'slave',
    );

    const second = await replicated(stack, replica!.port, acknowledged);
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
}

/** Returns how many of the acknowledged the replica has, too. */
async function replicated(stack: Stack, port: number, acknowledged: readonly string[]): Promise<number> {
  const redis = asAdmin(stack, port);
  const count = acknowledged.length;
  // A WAIT without a write of its own waits for nothing.
  await redis.set('{logloom}:mark', count);
  assert.equal(await redis.wait(1, 10_000), 1);
  redis.disconnect();
  return count;
}

async function roleOf(stack: Stack, port: number): Promise<string> {
  const redis = asAdmin(stack, port);
  redis.on('error', () => {});
  try {
    return String((await redis.role())[0]);
  } finally {
    redis.disconnect();
  }
}

function asAdmin({ security }: Stack, port: number): Redis {
  if (security === undefined) return new Redis(port);
  const { ca, password } = security;
  return new Redis(port, { username: 'admin', password, tls: { ca: readFileSync(ca) } });
}
