import { parseFilter, type Filter } from '@logloom/filter';
import { durationMs } from '@logloom/schemas';
import { isNode, isScalar, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import type { RuleProblem, RulesErrorCode } from './rule-problem.ts';
import { maxRulesBytes, rulesFileSchema, type RuleText } from './rule-schema.ts';
import { compileRule, type Rule } from './rule.ts';
import { rulesVersion } from './rules-version.ts';
import { compileWindowRule } from './window/compile-window-rule.ts';
import type { Condition } from './window/condition.ts';
import { parseCondition } from './window/parse-condition.ts';
import { fieldProblems } from './window/rule-fields.ts';
import { isWindowRule, windowConflicts } from './window/window-conflicts.ts';
import type { WindowRule } from './window/window-rule.ts';

/** The rules of a file, ready to be applied. */
export interface RuleSet {
  version: string;
  text: string;
  /** Over the events of one session. */
  rules: readonly Rule[];
  /** Over many events or requests. */
  windows: readonly WindowRule[];
  limits: WindowLimits;
}

/** The memory that rules over many events may use, in all partitions together. */
export interface WindowLimits {
  /** Of one rule. */
  ruleBytes: number;
  /** Of all rules. */
  bytes: number;
}

const defaultLimits: WindowLimits = { ruleBytes: 64 * 2 ** 20, bytes: 256 * 2 ** 20 };

/** `warnings`: rules that can be used, but will hardly do what is meant. */
export type RulesResult =
  { ok: true; rules: RuleSet; warnings: RuleProblem[] } | { ok: false; problems: RuleProblem[] };

type Path = readonly (string | number)[];
type Filters = Partial<Record<'when' | 'then' | 'without', Filter>>;

/** Reads a rules file. Never throws; returns all problems at once, in the order of the text. */
export function parseRules(text: string): RulesResult {
  if (Buffer.byteLength(text) > maxRulesBytes) {
    const message = `a rules file has at most ${maxRulesBytes} bytes: it is kept in the log`;
    return { ok: false, problems: [{ line: 1, column: 1, code: 'rules-too-large', message }] };
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const problems: RuleProblem[] = [];
  const report = (offset: number, code: RulesErrorCode, message: string): void => {
    const { line, col } = lines.linePos(offset);
    problems.push({ line: Math.max(1, line), column: Math.max(1, col), code, message });
  };
  for (const { pos, message } of [...document.errors, ...document.warnings])
    report(pos[0], 'bad-yaml', message);
  if (problems.length > 0) return { ok: false, problems };

  let value: unknown;
  try {
    // Aliases that would expand without limit are refused here.
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return {
      ok: false,
      problems: [{ line: 1, column: 1, code: 'bad-yaml', message: (error as Error).message }],
    };
  }
  const parsed = rulesFileSchema.safeParse(value);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const path = issue.path as (string | number)[];
      const extra = issue.code === 'unrecognized_keys' ? [issue.keys[0]!] : [];
      const at = extra.length > 0 ? keyOffset(document, [...path, ...extra]) : offsetOf(document, path);
      // The key's own problem is more precise than the general one.
      const { message } = issue.code === 'invalid_key' ? issue.issues[0]! : issue;
      report(at, 'bad-rule', `${pathText(path)}${lowerFirst(message)}`);
    }
  }
  // Rules of the right form are checked further, so that one run shows all problems.
  const rules: Rule[] = [];
  const windows: WindowRule[] = [];
  const warnings: RuleProblem[] = [];
  const warn = (offset: number, message: string): void => {
    const { line, col } = lines.linePos(offset);
    warnings.push({ line, column: col, code: 'unknown-rule-field', message });
  };
  const names = new Set<string>();
  const given = (value as { rules?: unknown } | null)?.rules;
  for (const [i, item] of (Array.isArray(given) ? given : []).entries()) {
    const text = (typeof item === 'object' && item !== null ? item : {}) as Partial<RuleText>;
    const at = (key: string): number => offsetOf(document, ['rules', i, key]);
    if (typeof text.name === 'string') {
      if (names.has(text.name))
        report(at('name'), 'duplicate-rule', `another rule has the name ${text.name}`);
      names.add(text.name);
    }
    const filters: Filters = {};
    for (const key of ['when', 'then', 'without'] as const) {
      const filterText = text[key];
      if (typeof filterText !== 'string' || filterText === '') continue;
      const result = parseFilter(filterText);
      if (result.ok) filters[key] = result.filter;
      else
        report(
          at(key) + shift(document, ['rules', i, key], result.error.position),
          'bad-rule-filter',
          `${key}: ${result.error.message}`,
        );
    }
    const conditions: Record<'if' | 'until', Condition | undefined> = { if: undefined, until: undefined };
    for (const key of ['if', 'until'] as const) {
      const conditionText = text[key];
      if (typeof conditionText !== 'string' || conditionText === '') continue;
      const result = parseCondition(conditionText);
      if (result.ok) conditions[key] = result.condition;
      else {
        const { position, code, message } = result.error;
        report(at(key) + shift(document, ['rules', i, key], position), code, `${key}: ${message}`);
      }
    }
    for (const { key, field, message } of fieldProblems(text, filters, conditions)) {
      const place = fieldOffset(document, ['rules', i, key], text[key], field);
      if (text.of === 'requests') report(place, 'unknown-rule-field', `${key}: ${message}`);
      else warn(place, `${key}: ${message}`);
    }
    const isWindow = isWindowRule(text);
    for (const [key, message] of isWindow ? windowConflicts(text, conditions) : conflicts(text))
      report(at(key), 'bad-rule', `rules[${i}].${message}`);
    if (!parsed.success || filters.when === undefined || problems.length > 0) continue;
    const rule = parsed.data.rules[i]!;
    const given = { ...filters, when: filters.when };
    if (isWindow) windows.push(compileWindowRule(rule, i, given, conditions));
    else rules.push(compileRule(rule, i, given));
  }
  if (problems.length > 0)
    return { ok: false, problems: problems.sort((a, b) => a.line - b.line || a.column - b.column) };
  const { ruleBytes = defaultLimits.ruleBytes, bytes = defaultLimits.bytes } = parsed.data?.limits ?? {};
  const set = { version: rulesVersion(text), text, rules, windows, limits: { ruleBytes, bytes } };
  return { ok: true, rules: set, warnings };
}

const maxWithinMs = 3_600_000;

/** Contradictions between the parts of a rule: the part, and the reason. */
function* conflicts(rule: Partial<RuleText>): Generator<[string, string]> {
  const isSequence = rule.then !== undefined || rule.without !== undefined;
  if (rule.then !== undefined && rule.without !== undefined)
    yield ['without', 'without: a rule has `then` or `without`, not both'];
  for (const key of ['count', 'distinct'] as const)
    if (isSequence && rule[key] !== undefined)
      yield [key, `${key}: a rule with \`then\` or \`without\` counts nothing; make it two rules`];
  if (rule.without !== undefined && rule.within === undefined)
    yield ['without', 'without: `within` must say how long to wait'];
  if (!isSequence && rule.within !== undefined)
    yield ['within', 'within: it belongs to `then` or `without`, which this rule does not have'];
  if (typeof rule.within === 'string' && durationMs(rule.within) > maxWithinMs)
    yield ['within', 'within: at most 1h, because the session is kept in memory for this time'];
  for (const key of ['until', 'for', 'times', 'forget'] as const)
    if (rule[key] !== undefined)
      yield [key, `${key}: it belongs to a rule with \`window\` or \`by\`, over many events`];
  if (rule.distinct?.field === 'message')
    yield ['distinct', 'distinct: the message is not a field with distinct values'];
}

/** Where a rule's text names a field, as far as that can be found; else where the text begins. */
function fieldOffset(document: Document, path: Path, value: unknown, field: string): number {
  if (Array.isArray(value)) return offsetOf(document, [...path, Math.max(0, value.indexOf(field))]);
  const found = typeof value === 'string' ? value.indexOf(field) : -1;
  return offsetOf(document, path) + (found < 0 ? 0 : shift(document, path, found));
}

/** Where the value at the path begins in the text; if it is missing, where its nearest parent begins. */
function offsetOf(document: Document, path: Path): number {
  for (let length = path.length; length >= 0; length--) {
    const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

/** The position of the key at the end of the path. */
function keyOffset(document: Document, path: Path): number {
  const map: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const items = (map as { items?: { key: Node }[] } | undefined)?.items ?? [];
  const key = items.find((item) => isScalar(item.key) && item.key.value === path.at(-1))?.key;
  return key?.range?.[0] ?? offsetOf(document, path);
}

/**
 * The distance of a position in a text from the text's start in the file; known only if the file contains the text literally, on one line.
 */
function shift(document: Document, path: Path, position: number): number {
  const node: unknown = document.getIn(path, true);
  if (!isScalar(node)) return 0;
  if (node.type === 'PLAIN') return position;
  return node.type === 'QUOTE_SINGLE' || node.type === 'QUOTE_DOUBLE' ? position + 1 : 0;
}

function pathText(path: Path): string {
  const text = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
  return text === '' ? '' : `${text.slice(text.startsWith('.') ? 1 : 0)}: `;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
