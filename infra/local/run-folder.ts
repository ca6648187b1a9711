import { identityOf, type ProcessIdentity } from '@logloom/runtime/process-identity';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerProcess } from './server-process.ts';
import type { Stack } from './running-stack.ts';

export { isAlive, type ProcessIdentity } from '@logloom/runtime/process-identity';

export interface ServerRecord extends ProcessIdentity {
  name: string;
  port: number;
  logFile: string;
}

/** What the command line keeps in a run folder about the stack that runs there. */
export interface StackRecord {
  supervisor: ProcessIdentity;
  env: Record<string, string>;
  missing: string[];
  servers: ServerRecord[];
}

export async function writeRecord(dir: string, stack: Stack): Promise<void> {
  const record: StackRecord = {
    supervisor: identityOf(process.pid)!,
    env: stack.env,
    missing: Object.values(stack.missing),
    servers: stack.servers.map(recordOf).filter((server) => server !== undefined),
  };
  const file = recordFile(dir);
  await mkdir(dir, { recursive: true });
  await writeFile(`${file}.new`, JSON.stringify(record, null, 2));
  await rename(`${file}.new`, file);
}

/** Undefined when no stack was left running in that folder. */
export async function readRecord(dir: string): Promise<StackRecord | undefined> {
  try {
    return JSON.parse(await readFile(recordFile(dir), 'utf8')) as StackRecord;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export function removeRecord(dir: string): Promise<void> {
  return rm(recordFile(dir), { force: true });
}

function recordOf({ name, port, logFile, pid }: ServerProcess): ServerRecord | undefined {
  const identity = pid === undefined ? undefined : identityOf(pid);
  return identity && { name, port, logFile, ...identity };
}

function recordFile(dir: string): string {
  return join(dir, 'stack.json');
}
