import type { Condition, Filter, FilterNode } from '../ast.ts';
import type { FilterSubject } from '../filter-subject.ts';
import { globMatcher } from '../glob.ts';
import { compilePredicate, type Predicate } from '../predicate/compile-predicate.ts';
import { attributeMatcher } from '../predicate/value-matcher.ts';
import { cutFragments, type Fragment, type Range } from './fragments.ts';
import { wordSpans } from './word-spans.ts';

/** The parts of an event that a filter matched: pieces of its values, under the names of the fields, attributes as `attributes.<path>`. */
export type Highlights = Record<string, Fragment[]>;

type Found = Map<string, { text: string; ranges: Range[] }[]>;
/** Adds the parts of the event that the node matched; the node must match the event. */
type Collect = (subject: FilterSubject, found: Found) => void;

/**
 * The filter as a function that shows why an event matches. It works on the event alone, with the filter's own meaning of words and values,
 * so it says the same whichever engine found the event. What is shown: words and phrases of the message, and whole values of level,
 * keywords and attributes. Not shown: conditions under NOT, branches of an OR that do not match, ranges of numbers and times that every
 * event has, and tests for existence.
 */
export function compileHighlight(filter: Filter): (subject: FilterSubject) => Highlights {
  const collect = compile(filter.ast);
  const matches = compilePredicate(filter);
  return (subject) => {
    const found: Found = new Map();
    if (matches(subject)) collect(subject, found);
    return Object.fromEntries([...found].map(([field, values]) => [field, cutFragments(values)]));
  };
}

const nothing: Collect = () => {};

function compile(node: FilterNode): Collect {
  switch (node.type) {
    case 'all':
    case 'none':
    case 'not':
      return nothing;
    case 'and': {
      const children = node.children.map(compile);
      return (subject, found) => {
        for (const child of children) child(subject, found);
      };
    }
    case 'or': {
      const children = node.children.map((child): [Predicate, Collect] => [
        compilePredicate({ ast: child, canonical: '' }),
        compile(child),
      ]);
      return (subject, found) => {
        for (const [matches, child] of children) if (matches(subject)) child(subject, found);
      };
    }
    default:
      return compileCondition(node);
  }
}

function compileCondition(condition: Condition): Collect {
  switch (condition.type) {
    case 'level':
      return ({ event }, found) => addWhole(found, 'level', event.level);
    case 'keyword': {
      const { field, match } = condition;
      if (match.type === 'exists') return nothing;
      return ({ event }, found) => addWhole(found, field, event[field]!);
    }
    case 'number':
      return nothing;
    case 'words':
      return compileWords(condition.words);
    case 'attribute': {
      const { path, match } = condition;
      if (match.type === 'exists') return nothing;
      const matches = attributeMatcher(match);
      return (subject, found) => {
        for (const value of subject.attributes.get(path) ?? [])
          if (matches(value)) addWhole(found, `attributes.${path}`, String(value));
      };
    }
  }
}

function compileWords(globs: readonly string[]): Collect {
  const matchers = globs.map(globMatcher);
  return ({ event: { message } }, found) => {
    const spans = wordSpans(message);
    for (let at = 0; at + matchers.length <= spans.length; at++) {
      if (!matchers.every((matches, i) => matches(spans[at + i]!.word))) continue;
      add(found, 'message', message, [spans[at]!.start, spans[at + matchers.length - 1]!.end]);
    }
  };
}

function addWhole(found: Found, field: string, text: string): void {
  add(found, field, text, [0, text.length]);
}

function add(found: Found, field: string, text: string, range: Range): void {
  const values = found.get(field);
  const value = values?.find((candidate) => candidate.text === text);
  if (value !== undefined) value.ranges.push(range);
  else if (values !== undefined) values.push({ text, ranges: [range] });
  else found.set(field, [{ text, ranges: [range] }]);
}
