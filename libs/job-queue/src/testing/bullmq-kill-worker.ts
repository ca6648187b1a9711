/** A process of bullmq-job-queue.int.test.ts: works the jobs of a store until it is killed, and tells of each run. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createBullJobQueue } from '../bullmq/bullmq-job-queue.ts';

const [url, prefix] = process.argv.slice(2);
const queue = createBullJobQueue({ url: url!, prefix: prefix!, leaseMs: 1000, maxLapses: 1000 });
await queue.process(
  'n',
  async (job) => {
    process.stdout.write(`${job.id}\n`);
    await sleep(2);
  },
  { concurrency: 4 },
  new AbortController().signal,
);
