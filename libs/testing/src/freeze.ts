import { readdirSync, readFileSync } from 'node:fs';
import { platform } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Stops the processes without ending them (SIGSTOP), and resolves when none of their threads runs any more. On a busy machine that is
 * milliseconds after the signal, and a broker answers many requests in that time.
 */
export async function freeze(...pids: readonly number[]): Promise<void> {
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  // Elsewhere nothing tells the state of threads.
  if (platform !== 'linux') return;
  while (!pids.every(isStopped)) await sleep(1);
}

export function unfreeze(...pids: readonly number[]): void {
  for (const pid of pids) process.kill(pid, 'SIGCONT');
}

/** Keeps the processes frozen for as long as `work` takes. */
export async function whileFrozen<T>(pids: readonly number[], work: () => Promise<T>): Promise<T> {
  try {
    await freeze(...pids);
    return await work();
  } finally {
    unfreeze(...pids);
  }
}

function isStopped(pid: number): boolean {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks).every((id) => {
    try {
      // proc(5): the state follows the name, which is in parentheses and may contain any character.
      const state = /\) ([A-Za-z]) [^)]*$/.exec(readFileSync(`${tasks}/${id}/stat`, 'utf8'))?.[1];
      return state !== undefined && 'TtZX'.includes(state);
    } catch {
      // A thread that has ended meanwhile.
      return true;
    }
  });
}
