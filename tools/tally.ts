export interface Skip {
  file: string;
  name: string;
  reason: string;
}

export interface Failure {
  file: string;
  name: string;
}

/** How long a test file took. */
export interface Timing {
  file: string;
  seconds: number;
  /** Of the test's process and all that it waited for. */
  cpuSeconds: number;
}

/** What became of a number of tests. */
export interface Tally {
  passed: number;
  failures: Failure[];
  skips: Skip[];
  timings: Timing[];
}

export function emptyTally(): Tally {
  return { passed: 0, failures: [], skips: [], timings: [] };
}

export function addTallies(a: Tally, b: Tally): Tally {
  return {
    passed: a.passed + b.passed,
    failures: [...a.failures, ...b.failures],
    skips: [...a.skips, ...b.skips],
    timings: [...a.timings, ...b.timings],
  };
}
