import { setImmediate as nextTurn } from 'node:timers/promises';
import type { IntakeUnit } from './pipeline.ts';

/** Big bodies are worked in slices of so many events, so that other requests and health checks have their turn. */
export const sliceEvents = 1000;

/**
 * Does the work on each item; after each slice the unit is flushed, and waits until the log has taken most of it, so that a request
 * never holds more than its window. Stops early when the log has refused some of it.
 */
export async function inSlices<T>(
  items: Iterable<T>,
  unit: IntakeUnit,
  work: (item: T) => void,
): Promise<void> {
  let inSlice = 0;
  for (const item of items) {
    work(item);
    if (++inSlice < sliceEvents && !unit.isFull) continue;
    unit.flush();
    inSlice = 0;
    await unit.hasRoom();
    if (unit.failed) break;
    await nextTurn();
  }
  unit.flush();
}
