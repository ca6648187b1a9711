import { readFileSync } from 'node:fs';

/** A setting's value in a file; a line break at its end does not count. Throws the error of the file system. */
export function readFileValue(file: string): string {
  return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
}
