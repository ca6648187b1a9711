import type { AttributeMatch } from '../ast.ts';

/** The functions that compileDuckDb's conditions call. */
export const duckDbFunctions = {
  attribute: 'logloom_attribute',
  words: 'logloom_words',
  glob: 'logloom_glob',
} as const;

/** The argument of logloom_attribute, as JSON. */
export interface AttributeQuestion {
  path: string;
  match: AttributeMatch;
}
