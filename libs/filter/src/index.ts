export { filterErrors } from './errors.ts';
export {
  keywordFields,
  type Bound,
  type Condition,
  type Filter,
  type FilterNode,
  type KeywordField,
} from './ast.ts';
export { attributeValues, type AttributeValue, type AttributeValues } from './attribute-values.ts';
export { aboutCorrelations, CorrelationSubject } from './predicate/correlation-predicate.ts';
export {
  compileElasticsearch,
  elasticsearchBool,
  type ElasticsearchQuery,
} from './elasticsearch/compile-elasticsearch.ts';
export {
  elasticsearchAttributes,
  elasticsearchNumberName,
  type ElasticsearchAttributes,
} from './elasticsearch/attributes.ts';
export { elasticsearchWords } from './elasticsearch/words.ts';
export { equalityTerms, type EqualityField, type EqualityTerm } from './predicate/equality-terms.ts';
export { sqlAttributeNumbers, sqlAttributeTexts } from './duckdb/attribute-lists.ts';
export { fieldOf, type Field } from './fields.ts';
export { checkComplexity, type FilterLimits, type FilterTooComplex } from './filter-complexity.ts';
export { FilterSubject } from './filter-subject.ts';
export { compileDuckDb, duckDbBool, placeOf, sqlMicros } from './duckdb/compile-duckdb.ts';
export { sqlLiteral } from './duckdb/literals.ts';
export { textCondition } from './duckdb/text-condition.ts';
export { compileHighlight, type Highlights } from './highlight/compile-highlight.ts';
export type { Fragment } from './highlight/fragments.ts';
export { intersect } from './intersect.ts';
export { compileMongo, type MongoFilter } from './mongodb/compile-mongo.ts';
export { mongoFields, type MongoAttribute, type MongoFields } from './mongodb/fields.ts';
export { parseNumber } from './numeric.ts';
export { maxFilterLength, parseFilter, type FilterResult } from './parse/parse-filter.ts';
export {
  compilePartialPredicate,
  type KnownFields,
  type PartialPredicate,
} from './predicate/partial-predicate.ts';
export { compilePredicate, type Predicate } from './predicate/compile-predicate.ts';
export { requiresKind } from './predicate/requires-kind.ts';
export { joinedWords, tokenize } from './tokenize.ts';
