import { DeliveryBatch } from '../encoding/delivery-batch.ts';
import type { CountsByLogLevel, DegradedLevel } from '../protocol/degradation-level.ts';
import type { LiveItem } from '../stream/stream-kind.ts';

/** The part of a batch that a viewer at one degradation level gets, and the part that it does not get. */
export interface DegradedBatch {
  /** Undefined if the part is empty. */
  kept: DeliveryBatch | undefined;
  leftOut: number;
  leftOutByLogLevel: Readonly<CountsByLogLevel>;
}

/** One in this many items that are not exempt is sampled. */
export const sampledOneIn = 10;

const degraded = new WeakMap<DeliveryBatch, Partial<Record<DegradedLevel, DegradedBatch>>>();

/**
 * Whether a viewer at this level gets the item: what is urgent (errors, fatals) always, of the rest a sample by its place in the log. It is
 * a function of the item alone, so it shows at a resume what a viewer was sent.
 */
export function isKept({ urgent, partition, offset }: LiveItem, level: DegradedLevel): boolean {
  // Fibonacci hashing, so that the sample is not in step with the producers.
  return (
    urgent || (level === 'sampled' && (Math.imul(offset + partition, 0x9e37_79b1) >>> 8) % sampledOneIn === 0)
  );
}

/** Returns the part of the batch that viewers at this level get; made once for all of them. */
export function degrade(batch: DeliveryBatch, level: DegradedLevel): DegradedBatch {
  let made = degraded.get(batch);
  if (made === undefined) degraded.set(batch, (made = {}));
  return (made[level] ??= makeDegraded(batch, level));
}

function makeDegraded(
  { stream, channel, cursor, items }: DeliveryBatch,
  level: DegradedLevel,
): DegradedBatch {
  const kept: LiveItem[] = [];
  const leftOutByLogLevel: CountsByLogLevel = {};
  for (const item of items) {
    if (isKept(item, level)) kept.push(item);
    else leftOutByLogLevel[item.level] = (leftOutByLogLevel[item.level] ?? 0) + 1;
  }
  return {
    kept: kept.length === 0 ? undefined : new DeliveryBatch(stream, channel, cursor, kept, true),
    leftOut: items.length - kept.length,
    leftOutByLogLevel,
  };
}
