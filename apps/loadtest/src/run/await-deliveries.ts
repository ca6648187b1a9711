import { setTimeout as sleep } from 'node:timers/promises';
import type { Generator } from '../generator/generator.ts';

const tallyMs = 500;

/** Waits until every viewer watches and has what it should, or nothing more has come for a while; returns how many watch. */
export async function awaitDeliveries(
  generator: Generator,
  { notStored, shouldWatch, quietMs }: { notStored: number; shouldWatch: number; quietMs: number },
  signal: AbortSignal,
): Promise<number> {
  let watching = 0;
  let before = -1;
  let changedAt = performance.now();
  while (!signal.aborted) {
    const tallies = await generator.tally();
    const lost = tallies.reduce((total, each) => total + each.lost + each.underAnnounced, 0);
    watching = tallies.reduce((total, each) => total + each.watching, 0);
    if (lost === 0 && notStored === 0 && watching >= shouldWatch) return watching;
    if (lost !== before) changedAt = performance.now();
    before = lost;
    if (performance.now() - changedAt > quietMs) return watching;
    await sleep(tallyMs);
  }
  return watching;
}
