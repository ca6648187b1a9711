/** A process of sqlite-job-queue.int.test.ts: works the jobs of the queue in a folder until it is killed, and notes each run in a file. */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSqliteJobQueue } from '../sqlite/sqlite-job-queue.ts';

const folder = process.argv[2]!;
const queue = createSqliteJobQueue({ folder, leaseMs: 500, pollMs: 10, maxLapses: 1000 });
const log = openSync(join(folder, 'runs'), 'a');
await queue.process(
  'n',
  async (job) => {
    writeSync(log, `${job.id}\n`);
    fsyncSync(log);
    await sleep(2);
  },
  { concurrency: 4 },
  new AbortController().signal,
);
closeSync(log);
