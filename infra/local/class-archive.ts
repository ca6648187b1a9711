import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { shortHash } from './cache.ts';
import { tryLock } from './lock.ts';

/** What it needs of an engine's context. */
export interface ArchiveContext {
  cacheDir: string;
  throughput: boolean;
  brokers: number;
}

export interface ClassArchive {
  /** Options for the JVM. */
  options: string[];
  /** Present where this server shall write the archive; called when it has ended. */
  onEnd?: (inOrder: boolean) => void;
}

/**
 * An archive of the classes that a server loads, already parsed and verified, in the cache: it halves the CPU time of a start. `inputs`
 * are the versions that the classes depend on. Where there is no archive yet, the server writes it when it ends in order, which takes it
 * some seconds. A benchmark's server goes without.
 */
export async function classArchive(
  context: ArchiveContext,
  name: string,
  java: string,
  inputs: readonly string[],
): Promise<ClassArchive> {
  const runtime = String(statSync(java).mtimeMs);
  const hash = shortHash([java, runtime, ...inputs].join('\n'));
  const file = join(context.cacheDir, `${name}-classes-${hash}.jsa`);
  if (context.throughput) return { options: [] };
  if (existsSync(file)) return { options: [`-XX:SharedArchiveFile=${file}`] };
  // One server writes it, and those that start in the meantime go without. A broker of several is often killed at its end.
  const lock = context.brokers > 1 ? undefined : await tryLock(`archive-${hash}`);
  if (lock === undefined) return { options: [] };
  // A server that was killed while it wrote leaves a part behind.
  const unfinished = `${file}.unfinished`;
  rmSync(unfinished, { force: true });
  const onEnd = (inOrder: boolean): void => {
    if (inOrder && existsSync(unfinished)) renameSync(unfinished, file);
    void lock.release();
  };
  return { options: [`-XX:ArchiveClassesAtExit=${unfinished}`], onEnd };
}
