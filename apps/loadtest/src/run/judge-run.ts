import { analyse } from '../analysis/analyse.ts';
import { shippedCalibration } from '../analysis/shipped-calibration.ts';
import type { RunResult } from '../result.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { judge } from '../verdict/judge.ts';
import { defaultObjectives, type Objective } from '../verdict/objective.ts';
import type { RunFindings } from './run-scenario.ts';

/** The scenario's objectives, or those of a scenario that states none. */
export function objectivesOf({ objectives, viewers, faults }: Scenario): readonly Objective[] {
  if (objectives.length > 0) return objectives;
  const stages = viewers.stages.map(
    (stage, i) => (stage.to - (viewers.stages[i - 1]?.to ?? 0)) / stage.seconds,
  );
  return defaultObjectives({
    search: true,
    faults: faults.length > 0,
    slowReaders: viewers.mix.some(({ stall }) => stall !== undefined),
    connectsPerSecond: Math.max(0, ...stages),
  });
}

/** The whole result: what the run found, its verdict, and what its failures say about their cause. */
export function judgeRun(findings: RunFindings, scenario: Scenario): RunResult {
  return {
    ...findings,
    verdict: judge(findings, objectivesOf(scenario)),
    analysis: analyse(findings, shippedCalibration.causes),
  };
}
