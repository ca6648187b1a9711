import { readFileSync, statSync } from 'node:fs';
import { parseReceivers, type ReceiversResult } from './parse-receivers.ts';
import { maxReceiversBytes } from './receivers-schema.ts';

/** Reads a receivers file; an unreadable file is reported as a problem like any other. */
export function loadReceivers(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
): ReceiversResult {
  const unreadable = (message: string): ReceiversResult => ({
    ok: false,
    problems: [{ line: 1, column: 1, code: 'unreadable-receivers', message }],
  });
  try {
    if (statSync(path).size > maxReceiversBytes)
      return unreadable(`a receivers file has at most ${maxReceiversBytes} bytes`);
    return parseReceivers(readFileSync(path, 'utf8'), env);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return unreadable(code === 'ENOENT' ? 'there is no such file' : message);
  }
}
