import { BOOLEAN, DuckDBScalarFunction, VARCHAR, type DuckDBConnection } from '@duckdb/node-api';
import { attributeValues } from '../attribute-values.ts';
import { globMatcher } from '../glob.ts';
import { attributeMatcher } from '../predicate/value-matcher.ts';
import { wordSequenceMatcher } from '../predicate/words-matcher.ts';
import { attributeNumbers, attributeTexts } from './attribute-lists.ts';
import { duckDbFunctions, type AttributeQuestion } from './function-names.ts';

/**
 * Registers the functions that compileDuckDb uses where SQL has no equivalent; they run the predicate's own code, on the thread of
 * JavaScript. Once per database.
 */
export function registerDuckDbFunctions(connection: DuckDBConnection): void {
  register(connection, duckDbFunctions.attribute, (question) => {
    const { path, match } = JSON.parse(question) as AttributeQuestion;
    const matches = attributeMatcher(match);
    return (text) => attributeValues(text).get(path)?.some(matches) ?? false;
  });
  register(connection, duckDbFunctions.words, (globs) => {
    const matches = wordSequenceMatcher(JSON.parse(globs) as string[]);
    return (words) => matches(words.slice(1, -1).split(' '));
  });
  register(connection, duckDbFunctions.glob, globMatcher);
  registerList(connection, duckDbFunctions.attributeTexts, attributeTexts);
  registerList(connection, duckDbFunctions.attributeNumbers, attributeNumbers);
}

/** A function of a text and a question, which is compiled once for each chunk of rows. */
function register(
  connection: DuckDBConnection,
  name: string,
  compile: (question: string) => (text: string) => boolean,
): void {
  connection.registerScalarFunction(
    DuckDBScalarFunction.create({
      name,
      returnType: BOOLEAN,
      parameterTypes: [VARCHAR, VARCHAR],
      mainFunction: (_info, input, output) => {
        const texts = input.getColumnVector(0);
        const questions = input.getColumnVector(1);
        let question: string | undefined;
        let test = (_text: string): boolean => false;
        for (let i = 0; i < input.rowCount; i++) {
          const asked = String(questions.getItem(i));
          if (asked !== question) test = compile((question = asked));
          const text = texts.getItem(i) as string | null;
          output.setItem(i, text === null ? null : test(text));
        }
        output.flush();
      },
    }),
  );
}

/** A function of attributes and a path that returns a list, as JSON. */
function registerList(
  connection: DuckDBConnection,
  name: string,
  listOf: (attributes: string, path: string) => readonly unknown[],
): void {
  connection.registerScalarFunction(
    DuckDBScalarFunction.create({
      name,
      returnType: VARCHAR,
      parameterTypes: [VARCHAR, VARCHAR],
      mainFunction: (_info, input, output) => {
        const texts = input.getColumnVector(0);
        const paths = input.getColumnVector(1);
        for (let i = 0; i < input.rowCount; i++) {
          const list = listOf(String(texts.getItem(i) ?? '{}'), String(paths.getItem(i)));
          output.setItem(i, list.length === 0 ? null : JSON.stringify(list));
        }
        output.flush();
      },
    }),
  );
}
