import { and, not, or, type Expression } from '../expression.ts';
import { Untranslatable, type Findings } from '../imported-rule.ts';
import { anyCharacters, patternsOfRegex } from '../literal-regex.ts';
import { compareNumber, exists, matchText, type PatternPart, type TextPattern } from '../text-pattern.ts';
import { patternsOfNetwork } from './networks.ts';
import { parseSigmaValue, transformValue } from './sigma-value.ts';

export interface SearchContext {
  /** The field here by its name in Sigma. */
  field: (name: string) => string;
  findings: Findings;
}

/** The expression of one search identifier: a map of fields, a list of those, or keywords. */
export function searchExpression(search: unknown, context: SearchContext): Expression {
  if (Array.isArray(search)) {
    const isMaps = search.some((item) => typeof item === 'object' && item !== null);
    return isMaps
      ? or(search.map((item) => searchExpression(item, context)))
      : keywords(search, false, context);
  }
  if (typeof search !== 'object' || search === null) return keywords([search], false, context);
  return and(Object.entries(search).map(([key, values]) => fieldExpression(key, values, context)));
}

const comparisons: Readonly<Record<string, string>> = { gt: '>', gte: '>=', lt: '<', lte: '<=' };

function fieldExpression(key: string, given: unknown, context: SearchContext): Expression {
  const [name = '', ...modifiers] = key.split('|');
  const values: unknown[] = Array.isArray(given) ? given : [given];
  const isAll = modifiers.includes('all');
  if (name === '') {
    const other = modifiers.find((modifier) => modifier !== 'all');
    if (other !== undefined) throw new Untranslatable(`keywords with the modifier ${other}`);
    return keywords(values, isAll, context);
  }
  const field = context.field(name);
  const clauses = values.map((value) => valueExpression(field, value, modifiers, context));
  return isAll ? and(clauses) : or(clauses);
}

/** Words anywhere in the log. */
function keywords(values: readonly unknown[], isAll: boolean, { findings }: SearchContext): Expression {
  findings.differs('keywords are looked for in the message, not in the attributes');
  const clauses = values.map((value) => {
    const pattern: TextPattern = ['any', ...parseSigmaValue(textOf(value)), 'any'];
    return matchText('message', pattern, { isCased: false }, findings);
  });
  return isAll ? and(clauses) : or(clauses);
}

function valueExpression(
  field: string,
  value: unknown,
  modifiers: readonly string[],
  { findings }: SearchContext,
): Expression {
  if (value === null) {
    if (modifiers.length > 0) throw new Untranslatable(`null with the modifier ${modifiers.join('|')}`);
    return not(exists(field));
  }
  const [first] = modifiers;
  if (first === 'exists') return value === false ? not(exists(field)) : exists(field);
  const comparison = modifiers.map((modifier) => comparisons[modifier]).find((each) => each !== undefined);
  if (comparison !== undefined) return compareNumber(field, comparison, Number(value));
  if (first === 'cidr') return networkExpression(field, textOf(value), findings);
  if (first === 're') return regexExpression(field, textOf(value), modifiers.slice(1), findings);
  if (typeof value === 'number' && modifiers.length === 0) return compareNumber(field, '', value);

  let patterns: TextPattern[] = [parseSigmaValue(textOf(value))];
  let isCased = typeof value !== 'string';
  let isNegated = false;
  for (const modifier of modifiers) {
    const wrap = (before: PatternPart[], after: PatternPart[]): void => {
      patterns = patterns.map((pattern) => [...before, ...pattern, ...after]);
    };
    if (modifier === 'contains') wrap(['any'], ['any']);
    else if (modifier === 'startswith') wrap([], ['any']);
    else if (modifier === 'endswith') wrap(['any'], []);
    else if (modifier === 'cased') isCased = true;
    else if (modifier === 'neq') isNegated = true;
    else if (modifier !== 'all') {
      patterns = patterns.flatMap((pattern) => {
        const changed = transformValue(modifier, pattern);
        if (changed === undefined) throw new Untranslatable(`the modifier ${modifier} of ${field}`);
        return changed;
      });
    }
  }
  const found = or(patterns.map((pattern) => matchText(field, pattern, { isCased }, findings)));
  return isNegated ? not(found) : found;
}

function networkExpression(field: string, network: string, findings: Findings): Expression {
  const { patterns, except } = patternsOfNetwork(network);
  const anyOf = (list: readonly TextPattern[]): Expression =>
    or(list.map((pattern) => matchText(field, pattern, { isCased: true }, findings)));
  return and([anyOf(patterns), not(anyOf(except))]);
}

function regexExpression(
  field: string,
  regex: string,
  flags: readonly string[],
  findings: Findings,
): Expression {
  const unknown = flags.find((flag) => !['i', 's', 'all'].includes(flag));
  if (unknown !== undefined) throw new Untranslatable(`regular expressions with ${unknown}`);
  const { patterns, isCased, isExact } = patternsOfRegex(regex, false);
  if (!isExact) findings.differs(anyCharacters(regex));
  const options = { isCased: isCased && !flags.includes('i') };
  return or(patterns.map((pattern) => matchText(field, pattern, options, findings)));
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new Untranslatable(`a value that is ${JSON.stringify(value)}`);
}
