import { addTallies, emptyTally, type Tally } from './tally.ts';

/** Runs the jobs in their order, `concurrency` at a time. Returns the sum of their tallies. */
export async function runJobs(jobs: readonly (() => Promise<Tally>)[], concurrency: number): Promise<Tally> {
  const waiting = [...jobs];
  let total = emptyTally();
  const work = async (): Promise<void> => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      const tally = await job();
      total = addTallies(total, tally);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return total;
}
