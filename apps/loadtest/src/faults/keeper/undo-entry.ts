import { isAlive } from '@logloom/runtime/process-identity';
import { rmSync } from 'node:fs';
import { removeNetem } from './netem.ts';
import { takeLeftovers, type JournalEntry } from './journal.ts';

/** Undoes what a journal names; returns what it did, or what is left to do by hand. */
export function undoEntry(entry: JournalEntry): string {
  switch (entry.kind) {
    case 'pause': {
      const alive = entry.processes.filter(isAlive);
      for (const { pid } of alive.toReversed()) process.kill(pid, 'SIGCONT');
      return `${entry.name} was continued`;
    }
    case 'kill':
      if (entry.stack === null || !isAlive(entry.stack)) return `start ${entry.name} again: ${entry.command}`;
      process.kill(entry.stack.pid, 'SIGUSR2');
      return `the local stack starts ${entry.name} again`;
    case 'disk-full':
      rmSync(entry.file, { force: true });
      return `${entry.file} was removed`;
    case 'netem':
      removeNetem(entry.device);
      return `the network emulation of ${entry.device} was removed`;
    case 'command':
      return `run this command, which undoes a fault: ${entry.undo}`;
  }
}

/** Undoes what killed runs left behind, and says so, one line each; what cannot be undone is said too. */
export function undoLeftovers(folder: string): string[] {
  return takeLeftovers(folder).map(({ run, entry }) => {
    const before = `left behind by the run ${run}`;
    try {
      return `${before}: ${undoEntry(entry)}`;
    } catch (error) {
      return `${before}, and not undone (${(error as Error).message}): ${JSON.stringify(entry)}`;
    }
  });
}
