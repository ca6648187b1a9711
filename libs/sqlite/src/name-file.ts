import { resultCode } from './result-code.ts';

/** What an operator has to know beyond SQLite's words. Source of the codes: sqlite.org/rescode.html. */
const advice = new Map<number, string>([
  [8, 'is the file, or its folder, writable for the user that runs Logloom?'],
  [11, 'the file is damaged'],
  [13, 'make room where the file lies'],
  [14, 'do its folder and its permissions let the user that runs Logloom in?'],
  [26, 'the file is damaged, or of another program'],
]);

/** The same error; one of SQLite's now says which file it is about, and what can be done. */
export function nameFile(error: unknown, path: string): unknown {
  const code = resultCode(error);
  if (code === undefined || !(error instanceof Error) || error.message.startsWith(path)) return error;
  const hint = advice.get(code);
  error.message = `${path}: ${error.message}${hint === undefined ? '' : ` (${hint})`}`;
  return error;
}

/** Runs the work; an error of SQLite's says that it is about the file. */
export function withFileNamed<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw nameFile(error, path);
  }
}
