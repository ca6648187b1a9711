import type { IngestBatch } from './ingest-batch.ts';
import { Turns } from './turns.ts';

/** Large bodies are processed in slices of this many events, so that other requests and health checks run in between. */
export const sliceEvents = 1000;

/**
 * Does the work on each item. After each slice it flushes the batch and waits until the log has taken most of it, so that a request never
 * holds more than its window. Stops early when the log has refused some of the batch.
 */
export async function inSlices<T>(
  items: Iterable<T>,
  batch: IngestBatch,
  work: (item: T) => void,
): Promise<void> {
  let inSlice = 0;
  const turns = new Turns();
  for (const item of items) {
    work(item);
    if (++inSlice < sliceEvents && !batch.isFull) {
      if (turns.isOver) await turns.next();
      continue;
    }
    batch.flush();
    inSlice = 0;
    await batch.hasRoom();
    if (batch.failed) break;
    await turns.next();
  }
  batch.flush();
}
