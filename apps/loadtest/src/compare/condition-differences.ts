import type { RunResult } from '../result.ts';

/** Where the two sides are not alike in more than what is compared. */
export function conditionDifferences(
  baseline: readonly RunResult[],
  candidate: readonly RunResult[],
): string[] {
  const of: Record<string, (run: RunResult) => string> = {
    scenario: (run) => run.scenario.name,
    target: (run) => run.target.kind,
    node: (run) => run.conditions.node,
    cpu: (run) => `${run.conditions.cpuCount} x ${run.conditions.cpuModel}`,
  };
  return Object.entries(of).flatMap(([name, read]) => {
    const [a, b] = [baseline, candidate].map((runs) => [...new Set(runs.map(read))].toSorted().join(', '));
    return a === b ? [] : [`${name}: ${a} in the baseline, ${b} in the candidate`];
  });
}
