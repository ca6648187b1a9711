import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';

/** A store's file that was found damaged, and its new path. */
export interface DamagedFile {
  file: string;
  movedTo: string;
  error: unknown;
}

/** A reader may not move a damaged file, so it tells the writer by a note: a file beside it. `path` is the note's path. */
export class DamageNote {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  leave(file: string): void {
    writeFileSync(this.#path, basename(file), { mode: 0o600 });
  }

  /** Whether there is a note about the file; removes it. */
  take(file: string): boolean {
    if (!existsSync(this.#path)) return false;
    const isAboutIt = readFileSync(this.#path, 'utf8') === basename(file);
    rmSync(this.#path, { force: true });
    return isAboutIt;
  }
}
