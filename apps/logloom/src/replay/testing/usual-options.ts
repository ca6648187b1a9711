import type { CorrelateOptions } from '@logloom/correlator';

/** The defaults of the correlator's settings, with memory for all that a test has. */
export const usualOptions: CorrelateOptions = {
  idleMs: 5000,
  maxMs: 30_000,
  graceMs: 30_000,
  maxEvents: 10_000,
  maxSessions: 1_000_000,
  memoryBytes: 1e9,
};
