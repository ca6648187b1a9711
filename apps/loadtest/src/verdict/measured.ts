import type { RunResult } from '../result.ts';

/** A run before its verdict. */
export type Measured = Omit<RunResult, 'verdict'>;
