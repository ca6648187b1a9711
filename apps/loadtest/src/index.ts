export type { RunResult } from './result.ts';
export { exitCodes, judge } from './verdict/judge.ts';
export type { Measured } from './verdict/measured.ts';
export { metrics, type Metric } from './verdict/metrics.ts';
export { defaultObjectives, objectiveProblems, type Asked, type Objective } from './verdict/objective.ts';
