import { fieldOf } from '@logloom/filter';
import { and, everything, type Expression } from './expression.ts';
import { Untranslatable, type Findings } from './imported-rule.ts';

/** A text with wildcards: texts, any characters, one character. It stands for a whole value. */
export type TextPattern = readonly PatternPart[];
export type PatternPart = { text: string } | 'any' | 'one';

export interface MatchOptions {
  /** Whether the original tells upper and lower case apart. */
  isCased: boolean;
}

/** A clause that a field has a value like the pattern. Says where it matches something else than the original. */
export function matchText(
  fieldName: string,
  pattern: TextPattern,
  { isCased }: MatchOptions,
  findings: Findings,
): Expression {
  const field = fieldOf(fieldName);
  if (field.type === 'message') return matchMessage(pattern, isCased, findings);
  const parts = joinParts(pattern);
  if (parts.length === 1 && parts[0] === 'any') return exists(fieldName);
  if (field.type === 'level')
    findings.differs('level: its other names, such as ERROR and err, are the same level');
  const letters = parts.some((part) => typeof part === 'object' && /\p{L}/u.test(part.text));
  if (!isCased && letters && field.type !== 'level')
    findings.differs(`${fieldName}: upper and lower case are told apart`);
  const literal = parts.length === 0 ? '' : parts.length === 1 ? textOf(parts[0]!) : undefined;
  const value = literal === undefined ? formatPattern(parts) : formatLiteral(literal);
  return { type: 'clause', field: escapeName(fieldName), value };
}

/** A clause that an event has the field. */
export function exists(fieldName: string): Expression {
  return { type: 'clause', field: escapeName(fieldName), value: '*' };
}

/** A clause that compares the numbers of a field. */
export function compareNumber(fieldName: string, operator: string, number: number): Expression {
  if (!Number.isFinite(number)) throw new Untranslatable(`${fieldName} is not compared with a number`);
  return { type: 'clause', field: escapeName(fieldName), value: `${operator}${number}` };
}

/** Of the message only the words are known, in lower case. */
function matchMessage(pattern: TextPattern, isCased: boolean, findings: Findings): Expression {
  const parts = joinParts(pattern);
  if (parts.length === 0) throw new Untranslatable('an empty message cannot be looked for');
  if (parts.every((part) => part === 'any')) return everything;
  const isExact =
    parts.length === 3 &&
    parts[0] === 'any' &&
    parts[2] === 'any' &&
    /^[\p{L}\p{N}_]+$/u.test(textOf(parts[1]!) ?? '');
  const text = parts.map((part) => textOf(part) ?? '').join('');
  if (isCased && /\p{L}/u.test(text)) findings.differs('message: upper and lower case are the same');
  if (!isExact)
    findings.differs(
      'message: its words are compared, not what is between them, nor where it begins and ends',
    );
  const clauses: Expression[] = [];
  for (const [i, part] of parts.entries()) {
    const segment = textOf(part);
    if (segment === undefined) continue;
    const words = segment.split(/[^\p{L}\p{N}_]+/u).filter((word) => word !== '');
    if (words.length === 0) continue;
    const isOpen = (char: string, beside: PatternPart | undefined): boolean =>
      beside !== undefined && /[\p{L}\p{N}_]/u.test(char);
    const first = isOpen(firstOf(segment), parts[i - 1]) ? '*' : '';
    const last = isOpen([...segment].at(-1)!, parts[i + 1]) ? '*' : '';
    const value =
      first === '' && last === ''
        ? formatLiteral(words.join(' '))
        : `${first}${words.map(escapeText).join('\\ ')}${last}`;
    clauses.push({ type: 'clause', field: 'message', value });
  }
  if (clauses.length === 0)
    throw new Untranslatable(`there is no word in "${text}", and a message is searched by words`);
  return and(clauses);
}

const firstOf = (text: string): string => [...text][0]!;

/** Parts in one form: texts that follow each other are joined, and so are wildcards. */
export function joinParts(pattern: TextPattern): PatternPart[] {
  const parts: PatternPart[] = [];
  for (const part of pattern) {
    const last = parts.at(-1);
    if (typeof part === 'object') {
      if (part.text === '') continue;
      if (typeof last === 'object') parts[parts.length - 1] = { text: last.text + part.text };
      else parts.push(part);
    } else if (part !== 'any' || last !== 'any') parts.push(part);
  }
  return parts;
}

export function textOf(part: PatternPart): string | undefined {
  return typeof part === 'object' ? part.text : undefined;
}

function formatPattern(parts: readonly PatternPart[]): string {
  return parts.map((part) => (part === 'any' ? '*' : part === 'one' ? '?' : escapeText(part.text))).join('');
}

/** A value in quotes, unless it is a plain word. */
export function formatLiteral(text: string): string {
  if (/^[A-Za-z0-9_.]+$/.test(text) && !/^(?:AND|OR|NOT|TO)$/.test(text)) return text;
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}

function escapeText(text: string): string {
  return text.replaceAll(/[\s+\-!(){}[\]^"~*?:\\/&|<>=']/g, '\\$&');
}

/** A name of a field in a filter. */
export function escapeName(name: string): string {
  if (/[\t\r\n\f]/.test(name)) throw new Untranslatable(`a field cannot be called ${JSON.stringify(name)}`);
  return escapeText(name);
}
