import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { waitForLock } from './lock.ts';

/**
 * The folder in the cache that `fill` made for these inputs (versions, sources), made now if it isn't there. It appears whole or not
 * at all, and of two processes that ask at once one makes it and the other waits.
 */
export async function cachedFolder(
  cacheDir: string,
  name: string,
  inputs: readonly string[],
  signal: AbortSignal,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = cachedPath(cacheDir, name, inputs);
  if (existsSync(folder)) return folder;
  const lock = await waitForLock(`cache-${shortHash(folder)}`, signal);
  const unfinished = `${folder}.${randomUUID()}`;
  try {
    if (existsSync(folder)) return folder;
    await mkdir(unfinished, { recursive: true });
    await fill(unfinished);
    await rename(unfinished, folder);
    return folder;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
    await lock.release();
  }
}

/** Where that folder is, made or not. */
export function cachedPath(cacheDir: string, name: string, inputs: readonly string[]): string {
  return join(cacheDir, `${name}-${shortHash(inputs.join('\n'))}`);
}

/** Eight hexadecimal digits that stand for the text. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
