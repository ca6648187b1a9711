import type {
  AttributeMatch,
  Bound,
  Condition,
  Filter,
  FilterNode,
  KeywordField,
  StringMatch,
} from '../ast.ts';
import { escapeGlob, globParts, literalOf } from '../glob.ts';
import { parseNumber } from '../numeric.ts';
import { plainWords } from '../predicate/words-matcher.ts';
import { attributeNumber, attributePair, sortableNumber } from './attributes.ts';
import { elasticsearchWord } from './words.ts';

export type ElasticsearchQuery = Record<string, unknown>;

const fields: Record<KeywordField, string> = {
  id: 'logloom.id',
  service: 'service.name',
  host: 'host.name',
  correlationId: 'logloom.correlation_id',
  correlationKind: 'logloom.correlation_kind',
  traceId: 'trace.id',
  spanId: 'span.id',
};

const wordsField = 'logloom.words';

/**
 * The filter as a query for an index with the fields that README.md lists: words by tokenize(), attributes by elasticsearchAttributes().
 * Nothing in it scores; put it into a `filter` clause.
 */
export function compileElasticsearch(filter: Filter): ElasticsearchQuery {
  return elasticsearchBool(filter.ast, compileCondition);
}

/** The filter's and, or and not as a `bool` query, around what `compileCondition` makes of its conditions. */
export function elasticsearchBool(
  node: FilterNode,
  compileCondition: (condition: Condition) => ElasticsearchQuery,
): ElasticsearchQuery {
  const compile = (child: FilterNode): ElasticsearchQuery => elasticsearchBool(child, compileCondition);
  switch (node.type) {
    case 'all':
      return { match_all: {} };
    case 'none':
      return { match_none: {} };
    case 'not':
      return { bool: { must_not: [compile(node.child)] } };
    case 'and':
      return { bool: { filter: node.children.map(compile) } };
    case 'or':
      return { bool: { should: node.children.map(compile), minimum_should_match: 1 } };
    default:
      return compileCondition(node);
  }
}

function compileCondition(condition: Condition): ElasticsearchQuery {
  switch (condition.type) {
    case 'level':
      return { terms: { 'log.level': condition.levels } };
    case 'keyword':
      return compileKeyword(fields[condition.field], condition.match);
    case 'number':
      return compileNumber(`logloom.${condition.field}`, condition.min, condition.max);
    case 'words':
      return compileWords(condition.words);
    case 'attribute':
      return compileAttribute(condition.path, condition.match);
  }
}

function compileKeyword(field: string, match: StringMatch): ElasticsearchQuery {
  switch (match.type) {
    case 'exists':
      return { exists: { field } };
    case 'equals':
      return { term: { [field]: match.value } };
    case 'matches':
      return { wildcard: { [field]: { value: match.glob } } };
    case 'between':
      return { range: { [field]: { ...lower(match.min), ...upper(match.max) } } };
  }
}

function compileNumber(field: string, min: number | undefined, max: number | undefined): ElasticsearchQuery {
  if (min !== undefined && min === max) return { term: { [field]: min } };
  return {
    range: {
      [field]: { ...(min === undefined ? {} : { gte: min }), ...(max === undefined ? {} : { lte: max }) },
    },
  };
}

function compileWords(globs: readonly string[]): ElasticsearchQuery {
  const plain = plainWords(globs);
  if (plain !== undefined) {
    const words = plain.map(elasticsearchWord);
    if (words.length === 1) return { term: { [wordsField]: words[0] } };
    return { match_phrase: { [wordsField]: words.join(' ') } };
  }
  if (globs.length === 1) return compileWordPattern(globs[0]!);
  const clauses = globs.map((glob) => {
    const query = compileWordPattern(glob);
    return 'term' in query ? { span_term: query['term'] } : { span_multi: { match: query } };
  });
  return { span_near: { clauses, slop: 0, in_order: true } };
}

function compileWordPattern(glob: string): ElasticsearchQuery {
  const parts = globParts(glob);
  const literal = literalOf(parts);
  if (literal !== undefined) return { term: { [wordsField]: elasticsearchWord(literal) } };
  const [text, wildcard] = parts;
  if (parts.length === 2 && text?.type === 'text' && wildcard?.type === 'any') {
    return { prefix: { [wordsField]: { value: text.text } } };
  }
  return { wildcard: { [wordsField]: { value: glob } } };
}

const pairs = 'logloom.attributes';
const numbers = 'logloom.numbers';

function compileAttribute(path: string, match: AttributeMatch): ElasticsearchQuery {
  // All keywords between these two belong to the path.
  const first = attributePair(path, '');
  const afterLast = `${path}\u0001`;
  switch (match.type) {
    case 'exists':
      return { prefix: { [pairs]: { value: first } } };
    case 'equals': {
      const equal = { term: { [pairs]: attributePair(path, match.value) } };
      const number = parseNumber(match.value);
      if (number === undefined || String(number) === match.value) return equal;
      const sameNumber = { term: { [numbers]: attributeNumber(path, number, true) } };
      return { bool: { should: [equal, sameNumber], minimum_should_match: 1 } };
    }
    case 'matches':
      return { wildcard: { [pairs]: { value: escapeGlob(first) + match.glob } } };
    case 'between': {
      const pair = (bound: Bound<string>) => ({ ...bound, value: attributePair(path, bound.value) });
      const min = match.min === undefined ? { gte: first } : lower(pair(match.min));
      const max = match.max === undefined ? { lt: afterLast } : upper(pair(match.max));
      return { range: { [pairs]: { ...min, ...max } } };
    }
    case 'within': {
      // A letter follows the digits: the bare digits are before both keywords of the number, `~` is after both.
      const before = (bound: Bound<number>) => attributePair(path, sortableNumber(bound.value));
      const after = (bound: Bound<number>) => `${before(bound)}~`;
      const { min, max } = match;
      const from = min === undefined ? first : min.inclusive ? before(min) : after(min);
      const to = max === undefined ? afterLast : max.inclusive ? after(max) : before(max);
      return { range: { [numbers]: { gte: from, lt: to } } };
    }
  }
}

function lower(bound: Bound<string> | undefined): { gte?: string; gt?: string } {
  if (bound === undefined) return {};
  return bound.inclusive ? { gte: bound.value } : { gt: bound.value };
}

function upper(bound: Bound<string> | undefined): { lte?: string; lt?: string } {
  if (bound === undefined) return {};
  return bound.inclusive ? { lte: bound.value } : { lt: bound.value };
}
