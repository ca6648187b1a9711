import type { RunResult, Second } from '../result.ts';

/** `load`: the scenario runs; `deliveries`: it waits for what is under way; `search`: it looks for the events in the search. */
export type RunPhase = 'load' | 'deliveries' | 'search';

/** How far a run is. */
export interface RunProgress {
  phase: RunPhase;
  /** The time of the scenario, and how long it takes, in s. */
  atS: number;
  durationS: number;
  /** The latest second that every process has reported; undefined: there is none yet. */
  latest: Second | undefined;
  /** What is known so far; the last seconds are not whole yet. Costs some milliseconds. */
  look: () => Pick<RunResult, 'timeline' | 'stages' | 'faults' | 'incidents'>;
}

const phases: Readonly<Record<RunPhase, string>> = {
  load: 'running',
  deliveries: 'waiting for deliveries that are under way',
  search: 'looking for the events in the search',
};

/** The phase in words. */
export function phaseText(phase: RunPhase): string {
  return phases[phase];
}
