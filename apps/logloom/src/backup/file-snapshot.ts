import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { syncPath } from './manifest.ts';
import type { Pace } from './pace.ts';

const stepBytes = 2 ** 20;

/** A file that never changes, held open: it can be copied even after its removal. */
export class FileSnapshot implements Disposable {
  readonly bytes: number;
  #descriptor: number | undefined;

  /** Throws the file system's error. */
  constructor(path: string) {
    this.#descriptor = openSync(path, 'r');
    this.bytes = fstatSync(this.#descriptor).size;
  }

  /** Writes the file's content to an existing file and waits until it is on the disk. */
  async copyTo(path: string, pace: Pace, signal: AbortSignal): Promise<void> {
    const descriptor = this.#descriptor;
    if (descriptor === undefined) throw new Error('the snapshot is closed');
    const buffer = Buffer.allocUnsafe(stepBytes);
    const to = openSync(path, 'w');
    try {
      for (let at = 0; at < this.bytes;) {
        signal.throwIfAborted();
        const read = readSync(descriptor, buffer, 0, stepBytes, at);
        if (read === 0) throw new Error(`${path}: its source ends before its size`);
        for (let written = 0; written < read;) written += writeSync(to, buffer, written, read - written);
        at += read;
        pace.moved(read);
        // A signal is heard between two steps.
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      closeSync(to);
    }
    syncPath(path);
  }

  [Symbol.dispose](): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
