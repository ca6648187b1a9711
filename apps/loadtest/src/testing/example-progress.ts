import type { RunProgress } from '../live/run-progress.ts';
import type { RunResult } from '../result.ts';

/** A run of the example's scenario, `atS` seconds after its start. */
export function exampleProgress(result: RunResult, atS: number): RunProgress {
  const timeline = result.timeline.slice(0, atS);
  return {
    phase: 'load',
    atS,
    durationS: result.durationS,
    latest: timeline.at(-3),
    look: () => ({ ...result, timeline }),
  };
}
