import type { DatabaseSync } from 'node:sqlite';
import type { AttributeMatch } from '../ast.ts';
import { attributeValues, type AttributeValues } from '../attribute-values.ts';
import { globMatcher } from '../glob.ts';
import { attributeMatcher } from '../predicate/value-matcher.ts';
import { wordSequenceMatcher } from '../predicate/words-matcher.ts';
import { tokenize } from '../tokenize.ts';

/** The functions that compileSql's conditions call. */
export const sqlFunctions = {
  attribute: 'logloom_attribute',
  words: 'logloom_words',
  glob: 'logloom_glob',
} as const;

/** The argument of logloom_attribute, as JSON. */
export interface AttributeQuestion {
  path: string;
  match: AttributeMatch;
}

/** Registers the functions that compileSql uses where SQL has no equivalent; they run the predicate's own code. Each returns 1 or 0. */
export function registerSqlFunctions(db: DatabaseSync): void {
  const attribute = remembered((json) => {
    const { path, match } = JSON.parse(json) as AttributeQuestion;
    const matches = attributeMatcher(match);
    return (values: AttributeValues) => values.get(path)?.some(matches) ?? false;
  });
  const words = remembered((json) => wordSequenceMatcher(JSON.parse(json) as string[]));
  const glob = remembered(globMatcher);
  // A condition with several attributes calls this several times for each row.
  const valuesOf = lastOnly(attributeValues);
  const wordsOf = lastOnly(tokenize);
  const options = { deterministic: true };
  db.function(sqlFunctions.attribute, options, (text, question) =>
    Number(attribute(String(question))(valuesOf(String(text)))),
  );
  db.function(sqlFunctions.words, options, (message, globs) =>
    Number(words(String(globs))(wordsOf(String(message)))),
  );
  db.function(sqlFunctions.glob, options, (text, pattern) =>
    Number(text !== null && glob(String(pattern))(String(text))),
  );
}

const rememberedQuestions = 256;

/** Compiles each argument once, while few different ones are in use. */
function remembered<T>(compile: (question: string) => T): (question: string) => T {
  const compiled = new Map<string, T>();
  return (question) => {
    let answer = compiled.get(question);
    if (answer === undefined) {
      if (compiled.size >= rememberedQuestions) compiled.clear();
      answer = compile(question);
      compiled.set(question, answer);
    }
    return answer;
  };
}

function lastOnly<T>(read: (text: string) => T): (text: string) => T {
  let last: { text: string; value: T } | undefined;
  return (text) => {
    if (last?.text !== text) last = { text, value: read(text) };
    return last.value;
  };
}
