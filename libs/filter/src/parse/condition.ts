import { parseMicros } from '@logloom/schemas';
import type { AttributeMatch, Bound, FilterNode, KeywordField, NumberField, StringMatch } from '../ast.ts';
import { fieldOf, isOptional, type Field } from '../fields.ts';
import { FilterError } from '../filter-error.ts';
import { escapeGlob, formatGlob, globParts, literalOf } from '../glob.ts';
import { levelOf, levelsBetween, levelsMatching } from '../level-match.ts';
import { all, levelIn, none, or } from '../normal-form.ts';
import { parseNumber } from '../numeric.ts';
import { foldCase } from '../tokenize.ts';

/** An end of a range, with its place in the filter's text. */
export interface TextBound extends Bound<string> {
  position: number;
}

/** The right side of a clause: a glob (glob.ts), or a range. */
export type ClauseValue =
  | { type: 'glob'; glob: string; position: number }
  | { type: 'range'; min?: TextBound; max?: TextBound; position: number };

/** The meaning of `field:value` in normal form. Throws FilterError when the field cannot have such a value. */
export function conditionOf(fieldName: string, value: ClauseValue): FilterNode {
  if (fieldName === '_exists_') return existence(fieldNamed(value), value);
  const field = fieldOf(fieldName);
  if (isAnything(value)) return existence(field, value);
  switch (field.type) {
    case 'level':
      return levelCondition(value);
    case 'message':
      return messageCondition(value);
    case 'keyword':
      return keywordCondition(field.name, stringMatch(value));
    case 'number':
      return numberCondition(field.name, value);
    case 'attribute':
      checkPath(field.path, value);
      return { type: 'attribute', path: field.path, match: attributeMatch(value) };
  }
}

/** A trace id of 64 bits is found in the W3C's form, which ingest gives it, and as it was written. */
function keywordCondition(field: KeywordField, match: StringMatch): FilterNode {
  const condition: FilterNode = { type: 'keyword', field, match };
  const isId = field === 'traceId' || field === 'correlationId';
  if (!isId || match.type !== 'equals' || !/^[0-9a-f]{16}$/.test(match.value)) return condition;
  const whole: StringMatch = { type: 'equals', value: match.value.padStart(32, '0') };
  return or([condition, { type: 'keyword', field, match: whole }]);
}

function isAnything(value: ClauseValue): boolean {
  if (value.type === 'range') return value.min === undefined && value.max === undefined;
  const parts = globParts(value.glob);
  return parts.length === 1 && parts[0]!.type === 'any';
}

function existence(field: Field, { position }: ClauseValue): FilterNode {
  if (!isOptional(field)) return all;
  if (field.type === 'keyword') return { type: 'keyword', field: field.name, match: { type: 'exists' } };
  if (field.type !== 'attribute') return all;
  checkPath(field.path, { position });
  return { type: 'attribute', path: field.path, match: { type: 'exists' } };
}

function fieldNamed(value: ClauseValue): Field {
  const name = value.type === 'glob' ? literalOf(globParts(value.glob)) : undefined;
  if (name === undefined) throw new FilterError('_exists_ needs the name of one field', value.position);
  return fieldOf(name);
}

function checkPath(path: string, { position }: { position: number }): void {
  if (path === '') throw new FilterError('the name of the attribute is missing', position);
  if (/[\t\r\n\f]/.test(path))
    throw new FilterError('a field name cannot hold tabs and line breaks', position);
}

function stringMatch(value: ClauseValue): StringMatch {
  if (value.type === 'range') {
    return { type: 'between', ...mapBounds(value, (bound) => bound.value) };
  }
  const parts = globParts(value.glob);
  const literal = literalOf(parts);
  return literal === undefined
    ? { type: 'matches', glob: formatGlob(parts) }
    : { type: 'equals', value: literal };
}

function attributeMatch(value: ClauseValue): AttributeMatch {
  if (value.type === 'range') {
    const numbers = mapBounds(value, (bound) => parseNumber(bound.value));
    const isNumeric = numbers.min?.value !== undefined || value.min === undefined;
    if (isNumeric && (numbers.max?.value !== undefined || value.max === undefined)) {
      return { type: 'within', ...(numbers as { min?: Bound<number>; max?: Bound<number> }) };
    }
  }
  return stringMatch(value);
}

function levelCondition(value: ClauseValue): FilterNode {
  if (value.type === 'range') {
    const { min, max } = mapBounds(value, (bound) => knownLevel(bound.value, bound.position));
    return levelIn(levelsBetween(min, max));
  }
  const parts = globParts(value.glob);
  const literal = literalOf(parts);
  if (literal !== undefined) return levelIn([knownLevel(literal, value.position)]);
  const found = levelsMatching(value.glob);
  if (found.length === 0)
    throw new FilterError(
      'no level matches this; the levels are trace, debug, info, warn, error, fatal',
      value.position,
    );
  return levelIn(found);
}

function knownLevel(text: string, position: number) {
  const level = levelOf(text);
  if (level === undefined) {
    throw new FilterError(
      `"${text}" is not a level; the levels are trace, debug, info, warn, error, fatal`,
      position,
    );
  }
  return level;
}

function messageCondition(value: ClauseValue): FilterNode {
  if (value.type === 'range') {
    throw new FilterError('ranges and comparisons need a field, and not the message', value.position);
  }
  // Wildcards belong to words; all other characters except letters, digits and underscore separate them.
  const words: string[] = [];
  let word = '';
  const endWord = () => {
    if (word !== '') words.push(formatGlob(globParts(word)));
    word = '';
  };
  for (const part of globParts(value.glob)) {
    if (part.type !== 'text') word += part.type === 'any' ? '*' : '?';
    else {
      for (const character of foldCase(part.text)) {
        if (/[\p{L}\p{N}_]/u.test(character)) word += character;
        else endWord();
      }
    }
  }
  endWord();
  if (words.length === 0) throw new FilterError('there is no word in this', value.position);
  return words.length === 1 && words[0] === '*' ? all : { type: 'words', words };
}

function numberCondition(field: NumberField, value: ClauseValue): FilterNode {
  const parse = field === 'timestamp' ? microsOf : wholeOrNot;
  let { min, max }: { min?: Bound<number>; max?: Bound<number> } = {};
  if (value.type === 'range')
    ({ min, max } = mapBounds(value, (bound) => parse(bound.value, bound.position)));
  else {
    const literal = literalOf(globParts(value.glob));
    if (literal === undefined)
      throw new FilterError(`${field} takes no wildcards; use a range`, value.position);
    min = max = { value: parse(literal, value.position), inclusive: true };
  }
  // The field holds whole numbers, so each range can be written with two inclusive whole numbers.
  const low = min && (min.inclusive ? Math.ceil(min.value) : Math.floor(min.value) + 1);
  const high = max && (max.inclusive ? Math.floor(max.value) : Math.ceil(max.value) - 1);
  if (low !== undefined && high !== undefined && low > high) return none;
  return {
    type: 'number',
    field,
    ...(low === undefined ? {} : { min: low }),
    ...(high === undefined ? {} : { max: high }),
  };
}

function wholeOrNot(text: string, position: number): number {
  const number = parseNumber(text);
  if (number === undefined || Math.abs(number) > Number.MAX_SAFE_INTEGER) {
    throw new FilterError(`"${text}" is not a whole number for an offset or a partition`, position);
  }
  return number;
}

// Slightly inside the range of exact integers, so that a bound can be moved by one and written as a time again.
const lastMicros = Number.MAX_SAFE_INTEGER - 1000;

function microsOf(text: string, position: number): number {
  const micros = /^-?\d+$/.test(text) ? Number(text) * 1000 : parseMicros(text);
  if (!(Math.abs(micros) <= lastMicros)) {
    throw new FilterError(
      `"${text}" is not a time; write it like 2023-01-30T11:51:01Z, or in milliseconds since 1970`,
      position,
    );
  }
  return micros;
}

function mapBounds<T>(
  range: { min?: TextBound; max?: TextBound },
  parse: (bound: TextBound) => T,
): { min?: Bound<T>; max?: Bound<T> } {
  const bounds: { min?: Bound<T>; max?: Bound<T> } = {};
  for (const end of ['min', 'max'] as const) {
    const bound = range[end];
    if (bound !== undefined) bounds[end] = { value: parse(bound), inclusive: bound.inclusive };
  }
  return bounds;
}

/** A glob for a text in which nothing is a wildcard. */
export function literalValue(text: string, position: number): ClauseValue {
  return { type: 'glob', glob: escapeGlob(text), position };
}
