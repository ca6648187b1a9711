export type { RunResult } from './result.ts';
export { exitCodes, judge } from './verdict/judge.ts';
export type { Measured } from './verdict/measured.ts';
export { metrics, type Metric } from './verdict/metrics.ts';
export { defaultObjectives, objectiveProblems, type Asked, type Objective } from './verdict/objective.ts';
export { calibrate, type Calibration } from './calibration/calibration.ts';
export { calibrationLines } from './calibration/calibration-lines.ts';
export { injections } from './calibration/injection-causes.ts';
export { keepRun, readKnownRuns, shippedRuns } from './calibration/kept-runs.ts';
export { runInjection } from './calibration/run-injection.ts';
export { compareLines } from './compare/compare-lines.ts';
export { compare, type Comparison } from './compare/compare.ts';
export type { MetricComparison } from './compare/metric-comparison.ts';
export { readRuns, type History } from './compare/history.ts';
export { trendOf, type ChangePoint, type Trend } from './compare/trend.ts';
export { LoadtestError } from './errors.ts';
export { defaultFaultOptions, type FaultOptions } from './faults/check-faults.ts';
export { explainFaults } from './faults/explain-faults.ts';
export { undoLeftovers } from './faults/keeper/undo-entry.ts';
export { viewersPerProcess } from './generator/viewer-processes.ts';
export { LivePage } from './live/live-page.ts';
export { ProgressLine } from './live/progress-line.ts';
export type { RunProgress } from './live/run-progress.ts';
export { postNotices, type NoticeReceivers } from './notify/post-notices.ts';
export { reportFormats, writeReports, type ReportFormat } from './report/write-reports.ts';
export { resultLines } from './report/result-lines.ts';
export { estimate } from './run/estimate.ts';
export { routesTo, thisMachine, tooSmall } from './run/machine-limits.ts';
export {
  checkDelivery,
  deliveryCheckLines,
  isClean,
  type DeliveryCheckResult,
} from './run/delivery-check.ts';
export { judgeRun, objectivesOf } from './run/judge-run.ts';
export { runScenario, type RunOptions } from './run/run-scenario.ts';
export type { Scenario } from './scenario/scenario.ts';
export type { ReceiverKind } from './target/receiver.ts';
export { builtInScenarios, loadScenario, readScenario } from './scenario/read-scenario.ts';
export { abilitiesOf, targetKinds, type Abilities, type TargetKind } from './target/target.ts';
