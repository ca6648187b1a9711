import type { AttributeMatch } from '../ast.ts';

/** The functions that the SQL of this package calls. */
export const duckDbFunctions = {
  attribute: 'logloom_attribute',
  words: 'logloom_words',
  glob: 'logloom_glob',
  attributeTexts: 'logloom_attribute_texts',
  attributeNumbers: 'logloom_attribute_numbers',
} as const;

/** The argument of logloom_attribute, as JSON. */
export interface AttributeQuestion {
  path: string;
  match: AttributeMatch;
}
