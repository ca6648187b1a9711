import { analyse } from '../analysis/analyse.ts';
import { shippedCalibration } from '../analysis/shipped-calibration.ts';
import type { RunResult } from '../result.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { abilitiesOfReceiver, defaultReceivers } from '../target/receiver.ts';
import { abilitiesOf, type TargetKind } from '../target/target.ts';
import { judge } from '../verdict/judge.ts';
import { defaultObjectives, type Objective } from '../verdict/objective.ts';
import type { RunFindings } from './run-scenario.ts';

/** The scenario's objectives, or those of a scenario that states none. */
export function objectivesOf(
  { objectives, viewers, events, faults }: Scenario,
  kind: TargetKind = 'logloom',
  acknowledges = (events.receivers ?? defaultReceivers).every(
    (receiver) => abilitiesOfReceiver[receiver].acknowledges,
  ),
): readonly Objective[] {
  if (objectives.length > 0) return objectives;
  const stages = viewers.stages.map(
    (stage, i) => (stage.to - (viewers.stages[i - 1]?.to ?? 0)) / stage.seconds,
  );
  return defaultObjectives({
    search: abilitiesOf[kind].searches,
    acknowledges,
    faults: faults.length > 0,
    slowReaders: viewers.mix.some(({ stall }) => stall !== undefined),
    connectsPerSecond: Math.max(0, ...stages),
  });
}

/** The whole result: what the run found, its verdict, and what its failures say about their cause. */
export function judgeRun(findings: RunFindings, scenario: Scenario): RunResult {
  return {
    ...findings,
    verdict: judge(findings, objectivesOf(scenario, findings.target.kind, findings.ingest.acknowledges)),
    analysis: analyse(findings, shippedCalibration.causes),
  };
}
