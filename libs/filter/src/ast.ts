import type { Level, PlacedEvent } from '@logloom/schemas';

/** Fields that hold one string, or nothing. */
export const keywordFields = [
  'service',
  'host',
  'id',
  'correlationId',
  'correlationKind',
  'traceId',
  'spanId',
] as const satisfies (keyof PlacedEvent)[];
export type KeywordField = (typeof keywordFields)[number];

/** Fields that hold one whole number, always; `timestamp` in microseconds since 1970. */
export type NumberField = 'timestamp' | 'partition' | 'offset';

export interface Bound<T> {
  value: T;
  inclusive: boolean;
}

/** What a keyword must be. `matches` holds a glob (glob.ts) with at least one wildcard. */
export type StringMatch =
  | { type: 'exists' }
  | { type: 'equals'; value: string }
  | { type: 'matches'; glob: string }
  | { type: 'between'; min?: Bound<string>; max?: Bound<string> };

/** What an attribute's value must be; `within` compares numbers, `between` strings. */
export type AttributeMatch = StringMatch | { type: 'within'; min?: Bound<number>; max?: Bound<number> };

/** A condition on one event. Each has exactly one representation, so that equal conditions are equal data. */
export type Condition =
  /** Ascending by rank; never empty and never all levels. */
  | { type: 'level'; levels: Level[] }
  | { type: 'keyword'; field: KeywordField; match: StringMatch }
  /** Both ends belong to the range. */
  | { type: 'number'; field: NumberField; min?: number; max?: number }
  /** Globs for words that follow each other in the message; at least one, and not a single `*`. */
  | { type: 'words'; words: string[] }
  | { type: 'attribute'; path: string; match: AttributeMatch };

/** A filter's meaning in normal form (normal-form.ts). */
export type FilterNode =
  | { type: 'all' }
  | { type: 'none' }
  | { type: 'not'; child: FilterNode }
  | { type: 'and' | 'or'; children: FilterNode[] }
  | Condition;

export interface Filter {
  ast: FilterNode;
  /** A text that parses to this same filter; filters of the same normal form share it. */
  canonical: string;
}
