import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  isAlive,
  readRecord,
  removeRecord,
  type ProcessIdentity,
  type ServerRecord,
  type StackRecord,
} from './run-folder.ts';
import type { StackArguments } from './stack-arguments.ts';

const stopLimitMs = 30_000;

/** Starts `run` as a process of its own and resolves when it is ready. Throws what it said when it fails. */
export async function startInBackground({ dir }: StackArguments): Promise<void> {
  if (await runningRecord(dir)) throw new Error(`a stack runs in ${dir} already`);
  mkdirSync(dir, { recursive: true });
  const logFile = join(dir, 'stack.log');
  const log = openSync(logFile, 'w');
  const args = process.argv.slice(2).map((argument) => (argument === 'start' ? 'run' : argument));
  const child = spawn(process.execPath, [join(import.meta.dirname, 'stack.ts'), ...args], {
    detached: true,
    stdio: ['ignore', 'ignore', log],
  });
  closeSync(log);
  const giveUp = (): void => void child.kill('SIGTERM');
  process.once('SIGINT', giveUp);
  const ended = once(child, 'exit');
  let printedBytes = 0;
  for (;;) {
    const [lines, record] = [readFileSync(logFile), await readRecord(dir)];
    process.stderr.write(lines.subarray(printedBytes));
    printedBytes = lines.length;
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('the stack did not start');
    if (record?.supervisor.pid === child.pid) break;
    await Promise.race([ended, delay(100)]);
  }
  process.off('SIGINT', giveUp);
  child.unref();
  await printEnv({ dir });
}

export async function printEnv({ dir }: Pick<StackArguments, 'dir'>): Promise<void> {
  console.log(envLines((await runningOrThrow(dir)).env));
}

export async function printStatus({ dir }: StackArguments): Promise<void> {
  const record = await runningOrThrow(dir);
  for (const server of record.servers) console.log(statusLine(server));
  for (const reason of record.missing) console.log(reason);
}

/** Also ends what a stack left behind whose own process was killed. */
export async function stopStack({ dir }: StackArguments): Promise<void> {
  const record = await readRecord(dir);
  if (record === undefined) {
    console.error(`no stack runs in ${dir}`);
    return;
  }
  await end([record.supervisor]);
  await end(record.servers);
  await removeRecord(dir);
  console.error('stopped');
}

export function envLines(env: Record<string, string>): string {
  return Object.entries(env)
    .map(([key, value]) => `${key}=${value}`)
    .join('\n');
}

async function end(processes: readonly ProcessIdentity[]): Promise<void> {
  const deadline = Date.now() + stopLimitMs;
  for (const identity of processes) if (isAlive(identity)) process.kill(identity.pid, 'SIGTERM');
  while (processes.some(isAlive) && Date.now() < deadline) await delay(100);
  for (const identity of processes) if (isAlive(identity)) process.kill(identity.pid, 'SIGKILL');
}

async function runningRecord(dir: string): Promise<StackRecord | undefined> {
  const record = await readRecord(dir);
  return record && isAlive(record.supervisor) ? record : undefined;
}

async function runningOrThrow(dir: string): Promise<StackRecord> {
  const record = await runningRecord(dir);
  if (record === undefined) throw new Error(`no stack runs in ${dir}: npm run stack -- start`);
  return record;
}

function statusLine(server: ServerRecord): string {
  const state = isAlive(server) ? `up    pid ${server.pid}  ${residentMb(server.pid)} MB` : 'down';
  return `${server.name.padEnd(16)} port ${server.port}  ${state}  ${server.logFile}`;
}

function residentMb(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kilobytes) / 1024);
}
