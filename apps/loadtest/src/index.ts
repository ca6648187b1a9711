export type { RunResult } from './result.ts';
export { exitCodes, judge } from './verdict/judge.ts';
export type { Measured } from './verdict/measured.ts';
export { metrics, type Metric } from './verdict/metrics.ts';
export { defaultObjectives, objectiveProblems, type Asked, type Objective } from './verdict/objective.ts';
export { compareLines } from './compare/compare-lines.ts';
export { compare, type Comparison, type MetricComparison } from './compare/compare.ts';
export { readRuns, type History } from './compare/history.ts';
export { trendOf, type ChangePoint, type Trend } from './compare/trend.ts';
