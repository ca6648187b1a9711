import { Redis } from 'ioredis';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { startStack } from './start-stack.ts';

const stack = await startStack({ only: ['redis'] });
after(() => stack.stop());
const skip = stack.missing.redis ?? false;
const secured = await startStack({ only: ['redis'], secured: true });
after(() => secured.stop());

test('Redis has after kill -9 what it acknowledged, and never forgets to make room', { skip }, async () => {
  const redis = new Redis(stack.env['REDIS_URL']!);
  // The connection's end is the test's own doing; without a listener every retry would be printed.
  redis.on('error', () => {});
  assert.equal(await redis.ping(), 'PONG');
  assert.deepEqual(await redis.config('GET', 'maxmemory-policy'), ['maxmemory-policy', 'noeviction']);
  await redis.set('local-stack-test', 'kept');
  await stack.redis.kill('SIGKILL');
  await stack.redis.restart();
  assert.equal(await redis.get('local-stack-test'), 'kept');
  redis.disconnect();
});

test('Redis with ACL users has its transactions after a restart', { skip }, async () => {
  const { ca, password } = secured.security!;
  const redis = new Redis(secured.env['REDIS_URL']!, {
    username: 'admin',
    password,
    tls: { ca: readFileSync(ca) },
  });
  redis.on('error', () => {});
  try {
    await redis.multi().set('one', '1').set('two', '2').exec();
    await secured.redis.restart();
    assert.deepEqual(await redis.mget('one', 'two'), ['1', '2']);
  } finally {
    redis.disconnect();
  }
});
