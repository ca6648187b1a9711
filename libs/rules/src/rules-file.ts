// Reads and describes the text of a rules file. A separate module, because loading it is costly and few starts need it.
export { exampleRulesFile } from './example-rules.ts';
export { loadRules } from './load-rules.ts';
export { parseRules } from './parse-rules.ts';
export { maxRulesBytes, rulesJsonSchema } from './rule-schema.ts';
