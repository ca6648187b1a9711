export interface Skip {
  file: string;
  name: string;
  reason: string;
}

export interface Failure {
  file: string;
  name: string;
}

/** What became of a number of tests. */
export interface Tally {
  passed: number;
  failures: Failure[];
  skips: Skip[];
}

export function emptyTally(): Tally {
  return { passed: 0, failures: [], skips: [] };
}

export function addTallies(a: Tally, b: Tally): Tally {
  return {
    passed: a.passed + b.passed,
    failures: [...a.failures, ...b.failures],
    skips: [...a.skips, ...b.skips],
  };
}
