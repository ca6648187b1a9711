import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import type { Pace } from './pace.ts';

const bytesPerRead = 2 ** 20;

/** Reads a file in steps, to another open file where one is given. Returns its length and its SHA-256 in hexadecimal digits. */
export async function hashFile(
  path: string,
  { pace, signal, copyTo }: { pace: Pace; signal: AbortSignal; copyTo?: number },
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(bytesPerRead);
  const file = openSync(path, 'r');
  let bytes = 0;
  try {
    for (let read: number; (read = readSync(file, buffer, 0, bytesPerRead, null)) > 0; bytes += read) {
      signal.throwIfAborted();
      const part = buffer.subarray(0, read);
      hash.update(part);
      if (copyTo !== undefined) for (let at = 0; at < read;) at += writeSync(copyTo, part, at);
      pace.moved(read);
      // A signal is heard between two steps.
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    closeSync(file);
  }
  return { bytes, sha256: hash.digest('hex') };
}
