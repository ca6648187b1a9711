import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 50;
const settledMs = 5_000;
const clockTickMs = 10;

/** How far a process had come: what it had written, and what that took since its start. */
export interface Progress {
  written: number;
  wallMs: number;
  cpuMs: number;
}

/**
 * Runs a command on one core until it has written `atLeast` documents and no more come, then stops it. Gives its progress at the first
 * third and at the last document. Throws when it ends by itself.
 */
export async function measureProcess(
  command: readonly string[],
  {
    core,
    env = {},
    atLeast,
    written,
  }: {
    core: number;
    env?: Record<string, string>;
    atLeast: number;
    written: () => Promise<number>;
  },
): Promise<{ third: Progress; end: Progress }> {
  const child = spawn('taskset', ['-c', String(core), ...command], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = once(child, 'exit');
  try {
    const start = performance.now();
    let third: Progress | undefined;
    let end: Progress = { written: 0, wallMs: 0, cpuMs: 0 };
    while (end.written < atLeast || performance.now() - start - end.wallMs < settledMs) {
      if (child.exitCode !== null) throw new Error(`${command[0]!} ended with ${child.exitCode}`);
      const count = await written();
      if (count > end.written)
        end = { written: count, wallMs: performance.now() - start, cpuMs: cpuMs(child.pid!) };
      if (count >= atLeast / 3) third ??= end;
      await sleep(pollMs);
    }
    return { third: third!, end };
  } finally {
    child.kill('SIGTERM');
    await exited;
  }
}

/** What the process has used of the processor, in user and system mode, all threads. See proc_pid_stat(5). */
function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * clockTickMs;
}
