import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';

/** A store's file that was found damaged, and where it is now. */
export interface DamagedFile {
  file: string;
  movedTo: string;
  error: unknown;
}

/**
 * How a reader of a file, which may not move it, tells its writer that it is damaged: by a file beside it. `path` is where the note
 * lies.
 */
export class DamageNote {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  leave(file: string): void {
    writeFileSync(this.#path, basename(file), { mode: 0o600 });
  }

  /** Whether there is one about the file; it is taken away. */
  take(file: string): boolean {
    if (!existsSync(this.#path)) return false;
    const isAboutIt = readFileSync(this.#path, 'utf8') === basename(file);
    rmSync(this.#path, { force: true });
    return isAboutIt;
  }
}
