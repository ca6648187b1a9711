export interface Skip {
  file: string;
  name: string;
  reason: string;
}

/** What became of a number of tests. */
export interface Tally {
  passed: number;
  failed: number;
  skips: Skip[];
}

export function emptyTally(): Tally {
  return { passed: 0, failed: 0, skips: [] };
}

export function addTallies(a: Tally, b: Tally): Tally {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skips: [...a.skips, ...b.skips] };
}
