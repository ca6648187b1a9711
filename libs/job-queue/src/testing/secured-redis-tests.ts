import { eventually, temporaryFolder } from '@logloom/testing';
import { settingsOf } from '@logloom/settings';
import { Redis } from 'ioredis';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Stack } from '../../../../infra/local/start-stack.ts';
import { createBullJobQueue } from '../bullmq/bullmq-job-queue.ts';
import { jobRecordsContract } from '../contract/job-records.contract.ts';
import { createRedisJobRecords } from '../bullmq/redis-records.ts';
import { jobQueueContract } from '../contract/job-queue.contract.ts';
import { openJobQueue } from '../open.ts';
import { jobQueueSettings, redisOf } from '../settings.ts';

type Env = Record<string, string | undefined>;

/** The queue and the records on a Redis that takes TLS alone, from a user who may do what they need and no more. */
export function securedRedisTests(stack: Stack): void {
  const { env } = stack;
  const password = stack.security?.password ?? '';
  const of = (settings: Env): { url: string; access: ReturnType<typeof redisOf>['redis'] } => {
    const { redisUrl, redis } = redisOf(settingsOf(jobQueueSettings).parse(settings));
    return { url: redisUrl!, access: redis };
  };
  const newPrefix = (): string => `{test-${randomUUID()}}`;

  jobQueueContract('BullMQ by TLS', async () => createBullJobQueue({ ...of(env), prefix: newPrefix() }));
  jobRecordsContract('Redis by TLS', async () => {
    const { url, access } = of(env);
    return createRedisJobRecords(url, newPrefix(), access);
  });

  const withClient = {
    REDIS_TLS_CERT_FILE: stack.security?.client.cert,
    REDIS_TLS_KEY_FILE: stack.security?.client.key,
  };
  test('a client certificate is shown, and the login may be in the URL', async () => {
    const login = { REDIS_USERNAME: undefined, REDIS_PASSWORD_FILE: undefined };
    const url = env['REDIS_URL']?.replace('://', `://logloom:${password}@`);
    const queue = await open({ ...env, ...login, ...withClient, REDIS_URL: url });
    await queue.counts('any');
    await queue.close();
  });

  const refusals: Record<string, [Env, RegExp]> = {
    'a wrong password': [
      { REDIS_PASSWORD_FILE: undefined, REDIS_PASSWORD: 'not-it' },
      /REDIS_USERNAME, REDIS_PASSWORD/,
    ],
    'no login': [
      { REDIS_PASSWORD_FILE: undefined, REDIS_USERNAME: undefined },
      /REDIS_USERNAME, REDIS_PASSWORD/,
    ],
    'an authority that is not trusted': [{ REDIS_TLS_CA_FILE: undefined }, /REDIS_TLS_CA/],
    'plain text to a TLS port': [
      { REDIS_TLS_CA_FILE: undefined, REDIS_URL: env['REDIS_URL']?.replace('rediss:', 'redis:') },
      /speaks TLS on this port: write rediss:/,
    ],
  };
  for (const [what, [changed, reason]] of Object.entries(refusals))
    test(`${what}: one line that names the setting and no secret`, async () => {
      await assert.rejects(open({ ...env, ...changed }), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'engine-access-denied');
        assert.match(error.message, /^Redis \(REDIS_URL\): /);
        assert.match(error.message, reason);
        return !error.message.includes(password) && !error.message.includes('not-it');
      });
    });

  test('a permission that is taken away while it runs is a problem until it is there again', async () => {
    const queue = await open(env);
    await using owned = new AsyncDisposableStack();
    owned.defer(() => queue.close());
    await queue.counts('any');
    assert.equal(queue.problem!(), undefined);
    const { ca } = stack.security!;
    const admin = new Redis(env['REDIS_URL']!, {
      username: 'admin',
      password,
      tls: { ca: readFileSync(ca) },
    });
    owned.defer(() => admin.disconnect());
    await admin.call('ACL', 'SETUSER', 'logloom', 'resetkeys');
    await assert.rejects(queue.counts('any'), { code: 'queue-refused', retriable: true });
    assert.match(queue.problem!()!, /^Redis: its user lacks a permission: REDIS_USERNAME \(NOPERM/);
    await admin.call('ACL', 'SETUSER', 'logloom', '~{logloom}*', '~{logloom-records}*', '~{test-*');
    await queue.counts('any');
    assert.equal(queue.problem!(), undefined);
  });

  test('a changed password is used when the client connects again; a wrong one is a problem until it is mended', async () => {
    using folder = temporaryFolder('redis-password');
    const file = join(folder.path, 'password');
    writeFileSync(file, password);
    const queue = await open({ ...env, REDIS_PASSWORD_FILE: file });
    await using owned = new AsyncDisposableStack();
    owned.defer(() => queue.close());
    await queue.counts('any');
    writeFileSync(file, 'not-it');
    await eventually('a problem', async () => {
      // Whoever is connected stays so until the connection ends.
      if (queue.problem?.() === undefined) await stack.redis.restart();
      return queue.problem?.() !== undefined;
    });
    assert.match(queue.problem!()!, /^Redis: .*REDIS_PASSWORD/);
    writeFileSync(file, password);
    // What is asked before the file was read again is refused.
    await eventually('an answer', async () => (await queue.counts('any')).failed === 0);
    assert.equal(queue.problem!(), undefined);
  });

  function open(settings: Env) {
    const { redisUrl, redis } = redisOf(settingsOf(jobQueueSettings).parse(settings));
    return openJobQueue({ redisUrl, redis, folder: '/none' });
  }
}
