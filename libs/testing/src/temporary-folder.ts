import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TemporaryFolder extends Disposable {
  readonly path: string;
}

const left = new Set<string>();

/**
 * A new empty folder: `using folder = temporaryFolder('archive')`. It is removed when it is disposed of, with all that it holds then,
 * and at the latest when the process ends by itself.
 */
export function temporaryFolder(name = 'test'): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), `logloom-${name}-`));
  if (left.size === 0) process.once('exit', removeAll);
  left.add(path);
  return { path, [Symbol.dispose]: () => remove(path) };
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true });
  left.delete(path);
  if (left.size === 0) process.off('exit', removeAll);
}

function removeAll(): void {
  for (const path of left) rmSync(path, { recursive: true, force: true });
}
