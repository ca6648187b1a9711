import type { RunResult } from '../result.ts';

/** A run before its verdict and its analysis. */
export type Measured = Omit<RunResult, 'verdict' | 'analysis'>;
