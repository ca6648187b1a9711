import type { RunResult } from '../result.ts';

/** Which processes of the target a run saw, by when they started; runs that do not tell count as of the same. */
function processesOf({ server }: RunResult): string {
  return (server?.startsS ?? []).join(' ');
}

/** How many different processes of the target runs saw. */
export function countProcesses(runs: readonly RunResult[]): number {
  return new Set(runs.map(processesOf)).size;
}

/** The first run of each process. */
export function firstOfEachProcess(runs: readonly RunResult[]): RunResult[] {
  return [...Map.groupBy(runs, processesOf).values()].map(([first]) => first!);
}
