export { rulesErrors } from './errors.ts';
export type { RuleSet, RulesResult, WindowLimits } from './parse-rules.ts';
export { formatProblem, type RuleProblem, type RulesErrorCode } from './rule-problem.ts';
export type { Rule, Sequence } from './rule.ts';
export { rulesVersion } from './rules-version.ts';
export { higherSeverity, severities, type Severity } from './severity.ts';
export { messageTemplate } from './window/message-template.ts';
export type {
  Column,
  CompiledMeasure,
  CompiledTerm,
  KeySequence,
  WindowCondition,
  WindowRule,
} from './window/window-rule.ts';
export { requestFields } from './window/request-fields.ts';
