import { resultCode } from './result-code.ts';

/** Hints for operators beyond SQLite's messages. Source of the codes: sqlite.org/rescode.html. */
const advice = new Map<number, string>([
  [8, 'check that the user that runs Logloom may write the file and its folder'],
  [11, 'the file is damaged'],
  [13, 'make room on its disk'],
  [14, 'check that its folder exists and the user that runs Logloom may open it'],
  [26, 'the file is damaged, or belongs to another program'],
]);

/** Returns the error; an error of SQLite now names the file and a remedy. */
export function nameFile(error: unknown, path: string): unknown {
  const code = resultCode(error);
  if (code === undefined || !(error instanceof Error) || error.message.startsWith(path)) return error;
  const hint = advice.get(code);
  error.message = `${path}: ${error.message}${hint === undefined ? '' : ` (${hint})`}`;
  return error;
}

/** Runs the work; errors of SQLite name the file. */
export function withFileNamed<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw nameFile(error, path);
  }
}
