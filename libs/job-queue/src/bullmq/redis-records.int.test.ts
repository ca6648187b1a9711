import { settingsOf } from '@logloom/settings';
import { randomUUID } from 'node:crypto';
import { after, describe } from 'node:test';
import { startStack } from '../../../../infra/local/start-stack.ts';
import { jobQueueContract } from '../contract/job-queue.contract.ts';
import { jobRecordsContract } from '../contract/job-records.contract.ts';
import { jobQueueSettings, redisOf } from '../settings.ts';
import { securedRedisTests } from '../testing/secured-redis-tests.ts';
import { createBullJobQueue } from './bullmq-job-queue.ts';
import { createRedisJobRecords } from './redis-records.ts';

const stack = await startStack({ only: ['redis'] });
const secured = await startStack({ only: ['redis'], secured: true });
const cluster = await startStack({ only: ['redis'], secured: true, redisMode: 'cluster' });
after(() => Promise.all([stack.stop(), secured.stop(), cluster.stop()]));

describe('records on Redis', { skip: stack.missing.redis ?? false }, () => {
  jobRecordsContract('Redis', async () =>
    createRedisJobRecords(stack.env['REDIS_URL']!, `{test-${randomUUID()}}`),
  );
});

describe('a secured Redis', { skip: secured.missing.redis ?? false }, () => securedRedisTests(secured));

describe('a secured cluster of Redis', { skip: cluster.missing.redis ?? false }, () => {
  const { redisUrl, redis } = redisOf(settingsOf(jobQueueSettings).parse(cluster.env));
  const newPrefix = (): string => `{test-${randomUUID()}}`;
  jobQueueContract('BullMQ on a cluster', async () =>
    createBullJobQueue({ url: redisUrl!, access: redis, prefix: newPrefix() }),
  );
  jobRecordsContract('Redis on a cluster', async () => createRedisJobRecords(redisUrl!, newPrefix(), redis));
});
