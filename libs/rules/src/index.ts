export { loadRules } from './load-rules.ts';
export { parseRules, type RuleSet, type RulesResult } from './parse-rules.ts';
export { formatProblem, type RuleProblem, type RulesErrorCode } from './rule-problem.ts';
export { maxRulesBytes, rulesJsonSchema, severities, type Severity } from './rule-schema.ts';
export { higherSeverity, type Rule, type Sequence } from './rule.ts';
export { rulesVersion } from './rules-version.ts';
