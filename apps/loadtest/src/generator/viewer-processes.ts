import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** More than this would make a pause of the garbage collector long. */
const mostViewers = 12_500;
/** A process has other files open than its viewers' sockets. */
const otherFiles = 500;
/** A process takes about half a core for so many deliveries a second (docs/adr/0039-a-lean-client-for-the-load-tests-viewers.md). */
const deliveriesPerProcess = 60_000;

/** How many viewers a process of the generator may have here, by its limit of open files. */
export function viewersPerProcess(): number {
  return Math.max(1, Math.min(mostViewers, openFileLimit() - otherFiles));
}

/** How many processes so many viewers take; `deliveriesPerSecond` at the peak. */
export function viewerProcesses(viewers: number, deliveriesPerSecond: number, perProcess: number): number {
  const byWork = Math.min(availableParallelism(), Math.ceil(deliveriesPerSecond / deliveriesPerProcess));
  return Math.max(1, Math.ceil(viewers / perProcess), byWork);
}

/** `ulimit -n`; where it cannot be read, Node has raised it to a limit that is rarely lower than this. */
export function openFileLimit(): number {
  try {
    const [, limit] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return limit === undefined ? Infinity : Number(limit);
  } catch {
    return 10_240;
  }
}
