import { randomUUID } from 'node:crypto';
import { after, describe } from 'node:test';
import { startStack } from '../../../../infra/local/start-stack.ts';
import { jobRecordsContract } from '../contract/job-records.contract.ts';
import { createRedisJobRecords } from './redis-records.ts';

const stack = await startStack({ only: ['redis'] });

describe('records on Redis', { skip: stack.missing.redis ?? false }, () => {
  after(() => stack.stop());
  jobRecordsContract('Redis', async () =>
    createRedisJobRecords(stack.env['REDIS_URL']!, `{test-${randomUUID()}}`),
  );
});
