import type { RunResult } from '../result.ts';
import { Ramp } from '../scenario/ramp.ts';
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

/** The whole result: what the run found, and its verdict. */
export function judgeRun(findings: RunFindings, scenario: Scenario): RunResult {
  return { ...findings, verdict: judge(findings, objectivesOf(scenario)) };
}

export interface Estimate {
  seconds: number;
  viewers: number;
  events: number;
  /** Each event goes to the viewers who watch it. */
  deliveries: number;
  /** Of the generator: viewers, and one that sends. */
  processes: number;
  openFiles: number;
}

/** What a run of the scenario will take. */
export function estimate({ viewers, events }: Scenario, viewersPerProcess: number): Estimate {
  const watching = new Ramp(viewers.stages);
  const sending = new Ramp(events.stages);
  const total = viewers.mix.reduce((sum, { weight }) => sum + weight, 0);
  const shares = { all: 1, service: 1 / events.traffic.services, errors: events.traffic.errorShare };
  const watched = viewers.mix.reduce((sum, { weight, watch }) => sum + (weight / total) * shares[watch], 0);
  const seconds = Math.max(watching.seconds, sending.seconds);
  let deliveries = 0;
  // By the viewers of each second's middle.
  for (let at = 0; at < sending.seconds; at++)
    deliveries += (sending.integral(at + 1) - sending.integral(at)) * watching.valueAt(at + 0.5) * watched;
  const processes = Math.max(1, Math.ceil(watching.peak / viewersPerProcess));
  return {
    seconds,
    viewers: Math.ceil(watching.peak),
    events: Math.floor(sending.total),
    deliveries: Math.round(deliveries),
    processes: processes + 1,
    openFiles: Math.ceil(watching.peak / processes),
  };
}
