import type { DegradationLevel } from '../protocol/degradation-level.ts';

/** Plain counters of the hot paths; telemetry.ts reads them when metrics are read. */
export interface StreamStats {
  events: number;
  duplicates: number;
  undecodable: number;
  missed: number;
  gaps: number;
  stepsDown: number;
  evictions: number;
  catchUps: number;
  catchUpEvents: number;
  catchingUp: number;
  /** Bytes given to connections. */
  sentBytes: number;
  /** Changes to each level. */
  modeChanges: Record<DegradationLevel, number>;
}

export function newStreamStats(): StreamStats {
  return {
    events: 0,
    duplicates: 0,
    undecodable: 0,
    missed: 0,
    gaps: 0,
    stepsDown: 0,
    evictions: 0,
    catchUps: 0,
    catchUpEvents: 0,
    catchingUp: 0,
    sentBytes: 0,
    modeChanges: { full: 0, sampled: 0, counts: 0 },
  };
}
