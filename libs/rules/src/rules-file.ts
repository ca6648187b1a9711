// What reads and describes the text of a rules file. Apart from the rest, because few starts need what it takes to load it.
export { loadRules } from './load-rules.ts';
export { parseRules } from './parse-rules.ts';
export { maxRulesBytes, rulesJsonSchema } from './rule-schema.ts';
