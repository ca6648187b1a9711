import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every code of docs/errors.md, which another test compares with the code. */
export function errorCodes(): Set<string> {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/errors.md'), 'utf8');
  return new Set([...page.matchAll(/^\| `([a-z][a-z-]+)`/gm)].map(([, code]) => code!));
}
