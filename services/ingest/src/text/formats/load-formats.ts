import { readFileSync } from 'node:fs';
import { parseFormats, type FormatsResult } from './parse-formats.ts';

/** Reads a formats file; an unreadable file is a problem like any other. */
export function loadFormats(path: string): FormatsResult {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : message;
    return { ok: false, problems: [{ line: 1, column: 1, message: reason }] };
  }
  return parseFormats(text);
}

/** The problems of a file as compilers write them: file:line:column: message. */
export function formatProblems(path: string, result: FormatsResult): string[] {
  return result.ok
    ? []
    : result.problems.map(({ line, column, message }) => `${path}:${line}:${column}: ${message}`);
}
