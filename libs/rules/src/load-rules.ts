import { readFileSync } from 'node:fs';
import { parseRules, type RulesResult } from './parse-rules.ts';

/** Reads a rules file; an unreadable file is reported as a problem like any other. */
export function loadRules(path: string): RulesResult {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message: reason } = error as NodeJS.ErrnoException;
    const message = code === 'ENOENT' ? 'there is no such file' : reason;
    return { ok: false, problems: [{ line: 1, column: 1, code: 'unreadable-rules', message }] };
  }
  return parseRules(text);
}
