import { lockDataFolder } from '@logloom/event-log';
import { storageTrouble } from '@logloom/sqlite/storage-trouble';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { CommandError } from '../commands/command-errors.ts';

/** How far a file has been sent. The inode and the first bytes distinguish it from another file of the same name. */
export interface FilePlace {
  dev: number;
  ino: number;
  /** Of the (unpacked) file. */
  offset: number;
  /** Up to 64 first bytes, in hexadecimal. */
  head: string;
}

/** The lines in progress: kept until there is a response, so that exactly they are repeated after a crash. */
export interface SavedBatch {
  count: number;
  /** In base64. */
  body: string;
  /** The positions after them in their files. */
  files: Record<string, FilePlace>;
}

interface State {
  version: 1;
  producer: string;
  /** The number of the next line. */
  sequence: number;
  files: Record<string, FilePlace>;
  batch?: SavedBatch;
}

/**
 * The progress across restarts: the producer's id and its next number, the positions in the files, and the batch that may have been sent. A
 * batch is stored before it is sent and removed at the response, so that after a crash the same lines are sent under the same numbers,
 * whatever happened to the files. Without a path it is only in memory.
 */
export class SendPosition implements Disposable {
  readonly #path: string | undefined;
  readonly #lock: Disposable | undefined;
  #state: State;

  /** Throws CommandError if another process uses the file, or it is not a position file. */
  static open(path: string | undefined): SendPosition {
    if (path === undefined) return new SendPosition(undefined, undefined, newState());
    mkdirSync(dirname(path), { recursive: true });
    let lock: Disposable;
    try {
      lock = lockDataFolder(`${path}.lock`);
    } catch (error) {
      if (storageTrouble(error) !== undefined) throw error;
      throw new CommandError('command-failed', `another logloom send uses the position in ${path}`);
    }
    try {
      return new SendPosition(path, lock, existsSync(path) ? readState(path) : newState());
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  private constructor(path: string | undefined, lock: Disposable | undefined, state: State) {
    this.#path = path;
    this.#lock = lock;
    this.#state = state;
  }

  get producer(): string {
    return this.#state.producer;
  }

  get sequence(): number {
    return this.#state.sequence;
  }

  /** The batch that an earlier run may not have sent. */
  get unanswered(): SavedBatch | undefined {
    return this.#state.batch;
  }

  place(file: string): FilePlace | undefined {
    return this.#state.files[file];
  }

  /** The batch is about to be sent. */
  begin(batch: () => SavedBatch): void {
    if (this.#path === undefined) return;
    this.#state.batch = batch();
    this.save();
  }

  /** The batch got its response; call save() after it. */
  done(count: number, files: Record<string, FilePlace>): void {
    const { version, producer, sequence, files: before } = this.#state;
    this.#state = { version, producer, sequence: sequence + count, files: { ...before, ...files } };
  }

  /** Replaces the file; if that fails, its old content stays. Throws the system's error. */
  save(): void {
    if (this.#path !== undefined) this.#save(this.#path);
  }

  [Symbol.dispose](): void {
    this.#lock?.[Symbol.dispose]();
  }

  #save(path: string): void {
    const next = `${path}.new`;
    const file = openSync(next, 'w', 0o600);
    try {
      writeFileSync(file, JSON.stringify(this.#state));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(next, path);
    const folder = openSync(dirname(path), 'r');
    fsyncSync(folder);
    closeSync(folder);
  }
}

function newState(): State {
  return { version: 1, producer: randomBytes(9).toString('base64url'), sequence: 0, files: {} };
}

function readState(path: string): State {
  try {
    const state = JSON.parse(readFileSync(path, 'utf8')) as State;
    if (state.version === 1 && typeof state.producer === 'string' && Number.isSafeInteger(state.sequence))
      return state;
  } catch {
    // Said below.
  }
  throw new CommandError(
    'command-failed',
    `${path} is not a position file of logloom send; move it away to start over`,
  );
}
