import { levels } from '@logloom/schemas';
import type { Condition, Filter, FilterNode } from '../ast.ts';
import type { FilterSubject } from '../filter-subject.ts';
import { attributeMatcher, stringMatcher } from './value-matcher.ts';
import { longestText, plainWords, wordSequenceMatcher } from './words-matcher.ts';

export type Predicate = (subject: FilterSubject) => boolean;

/** The filter as a function, for the live tier and the rules: tests one event, without I/O. */
export function compilePredicate(filter: Filter): Predicate {
  return compile(filter.ast);
}

function compile(node: FilterNode): Predicate {
  switch (node.type) {
    case 'all':
      return () => true;
    case 'none':
      return () => false;
    case 'not': {
      const child = compile(node.child);
      return (subject) => !child(subject);
    }
    case 'and': {
      const children = cheapestFirst(node.children).map(compile);
      return (subject) => {
        for (const child of children) if (!child(subject)) return false;
        return true;
      };
    }
    case 'or': {
      const children = cheapestFirst(node.children).map(compile);
      return (subject) => {
        for (const child of children) if (child(subject)) return true;
        return false;
      };
    }
    default:
      return compileCondition(node);
  }
}

function compileCondition(condition: Condition): Predicate {
  switch (condition.type) {
    case 'level': {
      const [only] = condition.levels;
      if (condition.levels.length === 1) return ({ event }) => event.level === only;
      const wanted = Object.fromEntries(levels.map((level) => [level, condition.levels.includes(level)]));
      return ({ event }) => wanted[event.level]!;
    }
    case 'keyword': {
      const { field, match } = condition;
      if (match.type === 'equals') return ({ event }) => event[field] === match.value;
      const matches = stringMatcher(match);
      return ({ event }) => {
        const value = event[field];
        return value !== null && matches(value);
      };
    }
    case 'number': {
      const { field, min = -Infinity, max = Infinity } = condition;
      return ({ event }) => event[field] >= min && event[field] <= max;
    }
    case 'words':
      return compileWords(condition.words);
    case 'attribute': {
      const { path, match } = condition;
      const matches = attributeMatcher(match);
      return (subject) => subject.attributes.get(path)?.some(matches) ?? false;
    }
  }
}

/**
 * Splitting a message costs more than searching it, and most messages contain no word of most filters. A word is always a substring of the
 * lower-case message, so a search for the longest word rejects early and never wrongly; the split words decide about the rest. They are
 * joined with a space on both sides of each, so a phrase is found by text search: no word contains a space, so matches always end at word
 * ends.
 */
function compileWords(globs: readonly string[]): Predicate {
  const needle = longestText(globs);
  const plain = plainWords(globs);
  if (plain !== undefined) {
    const phrase = ` ${plain.join(' ')} `;
    return (subject) => subject.foldedMessage.includes(needle) && subject.words.includes(phrase);
  }
  const matches = wordSequenceMatcher(globs);
  return (subject) =>
    subject.foldedMessage.includes(needle) && matches(subject.words.slice(1, -1).split(' '));
}

function cheapestFirst(nodes: readonly FilterNode[]): FilterNode[] {
  return nodes.toSorted((a, b) => cost(a) - cost(b));
}

function cost(node: FilterNode): number {
  switch (node.type) {
    case 'not':
      return cost(node.child);
    case 'and':
    case 'or':
      return node.children.reduce((sum, child) => sum + cost(child), 0);
    case 'words':
      return 10;
    case 'attribute':
      return 40;
    default:
      return 1;
  }
}
