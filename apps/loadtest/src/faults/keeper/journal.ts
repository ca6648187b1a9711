import { identityOf, isAlive, type ProcessIdentity } from '@logloom/runtime/process-identity';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What has to be undone. It holds no environment of a process: there may be secrets in it. */
export type JournalEntry =
  | { kind: 'pause'; name: string; processes: ProcessIdentity[] }
  | { kind: 'kill'; name: string; command: string; stack: ProcessIdentity | null }
  | { kind: 'disk-full'; file: string }
  | { kind: 'netem'; device: string }
  | { kind: 'command'; undo: string };

interface JournalFile {
  run: string;
  /** The process that undoes it, as long as it lives. */
  keeper: ProcessIdentity;
  entries: Record<string, JournalEntry>;
}

/** Says on disk what a run has to undo, before it is done: the next run finds what one that was killed left behind. */
export class Journal {
  readonly #file: string;
  readonly #content: JournalFile;

  constructor(folder: string, run: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#file = join(folder, `${run}.json`);
    this.#content = { run, keeper: identityOf(process.pid)!, entries: {} };
  }

  set(id: number, entry: JournalEntry): void {
    this.#content.entries[id] = entry;
    this.#write();
  }

  delete(id: number): void {
    delete this.#content.entries[id];
    if (Object.keys(this.#content.entries).length > 0) this.#write();
    else rmSync(this.#file, { force: true });
  }

  #write(): void {
    const fresh = `${this.#file}.new`;
    writeFileSync(fresh, JSON.stringify(this.#content, null, 2), { mode: 0o600 });
    renameSync(fresh, this.#file);
  }
}

export interface Leftover {
  run: string;
  entry: JournalEntry;
}

/** Takes what runs left behind whose keepers are gone; the journals of the others stay. */
export function takeLeftovers(folder: string): Leftover[] {
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    const file = join(folder, name);
    let content: JournalFile;
    try {
      content = JSON.parse(readFileSync(file, 'utf8')) as JournalFile;
    } catch {
      // Another run has taken it meanwhile.
      return [];
    }
    if (isAlive(content.keeper)) return [];
    rmSync(file, { force: true });
    return Object.values(content.entries).map((entry) => ({ run: content.run, entry }));
  });
}
