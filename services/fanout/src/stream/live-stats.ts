/** Plain counters of the hot paths; telemetry.ts reads them when it is asked. */
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
  };
}
