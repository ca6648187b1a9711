export { latestExamples, type Contribution, type Example } from './contribution.ts';
export { decodeContributions, encodeContributions } from './encode-contributions.ts';
export {
  keyOfChange,
  limitRule,
  snapshotFormat,
  WindowEvaluator,
  type Cut,
  type EvaluatorPart,
  type EvaluatorSnapshot,
  type OrderedChange,
  type RuleStatus,
} from './window-evaluator.ts';
export { WindowInput } from './window-input.ts';
export { countsEvent, countsRequest, WindowRun } from './window-run.ts';
export { FiredAlerts, type FiredAlert, type WindowTrial } from './fired-alerts.ts';
