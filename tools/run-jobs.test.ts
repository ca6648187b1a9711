import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runJobs } from './run-jobs.ts';
import { emptyTally } from './tally.ts';

test('runs every job once, never more than so many at a time, and adds up their tallies', async () => {
  let running = 0;
  const seen: number[] = [];
  const begun: number[] = [];
  const jobs = Array.from({ length: 7 }, (_, i) => async () => {
    begun.push(i);
    seen.push(++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    return { ...emptyTally(), passed: i, timings: [{ file: String(i), seconds: i, cpuSeconds: 0 }] };
  });
  const { passed, timings, failures } = await runJobs(jobs, 3);
  assert.deepEqual(begun, [0, 1, 2, 3, 4, 5, 6]);
  assert.equal(Math.max(...seen), 3);
  assert.equal(passed, 21);
  assert.deepEqual(timings.map(({ file }) => file).sort(), ['0', '1', '2', '3', '4', '5', '6']);
  assert.deepEqual(failures, []);
});
