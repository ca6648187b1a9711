export {
  keywordFields,
  type Bound,
  type Condition,
  type Filter,
  type FilterNode,
  type KeywordField,
} from './ast.ts';
export { attributeValues, type AttributeValue, type AttributeValues } from './attribute-values.ts';
export { aboutCorrelations, CorrelationSubject } from './correlation-predicate.ts';
export { compileElasticsearch, elasticsearchBool, type ElasticsearchQuery } from './elasticsearch.ts';
export { elasticsearchAttributes, type ElasticsearchAttributes } from './elasticsearch-attributes.ts';
export { elasticsearchWords } from './elasticsearch-words.ts';
export { equalityTerms, type EqualityTerm } from './equality-terms.ts';
export { fieldOf, type Field } from './fields.ts';
export { checkComplexity, type FilterLimits, type FilterTooComplex } from './filter-complexity.ts';
export { FilterSubject } from './filter-subject.ts';
export { compileHighlight, type Highlights } from './highlight.ts';
export type { Fragment } from './highlight-fragments.ts';
export { intersect } from './intersect.ts';
export { compileMongo, type MongoFilter } from './mongodb.ts';
export { mongoFields, type MongoAttribute, type MongoFields } from './mongodb-fields.ts';
export { maxFilterLength, parseFilter, type FilterResult } from './parse-filter.ts';
export { compilePartialPredicate, type KnownFields, type PartialPredicate } from './partial-predicate.ts';
export { compilePredicate, type Predicate } from './predicate.ts';
export { compileSql, type SqlCondition, type SqlSchema } from './sql.ts';
export { registerSqlFunctions } from './sql-functions.ts';
export { tokenize } from './tokenize.ts';
