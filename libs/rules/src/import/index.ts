export { ingestedFields } from './ingested-fields.ts';
export type { ImportedRule } from './imported-rule.ts';
export { importRules, type ImportResult } from './import-rules.ts';
export { noMapping, parseMapping, type MappingResult, type RuleMapping } from './rule-mapping.ts';
