import { createHash } from 'node:crypto';

/** The version of a rules file: the first 12 hexadecimal digits of its text's SHA-256; empty for the empty text, that is, no rules. */
export function rulesVersion(text: string): string {
  return text === '' ? '' : createHash('sha256').update(text).digest('hex').slice(0, 12);
}
