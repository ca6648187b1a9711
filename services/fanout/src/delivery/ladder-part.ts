import type { Level } from '@logloom/schemas';
import { Batch } from '../encoding/batch.ts';
import type { LiveItem } from '../stream/stream-kind.ts';

/** The steps of the ladder on which a viewer gets only a part. */
export type LadderMode = 'sampled' | 'counts';
export type LevelCounts = Partial<Record<Level, number>>;

/** What a viewer on one step gets of a batch, and what it does not. */
export interface LadderPart {
  /** Undefined when it gets nothing of it. */
  kept: Batch | undefined;
  leftOut: number;
  byLevel: Readonly<LevelCounts>;
}

/** Of what is not exempt, one in so many is sampled. */
export const sampledOneIn = 10;

const parts = new WeakMap<Batch, Partial<Record<LadderMode, LadderPart>>>();

/**
 * Whether a viewer on this step gets the item: what is urgent (errors, fatals) always, of the rest a sample by its place in the log.
 * Being a function of the item alone, it says at a resume what a viewer was sent.
 */
export function isKept({ urgent, partition, offset }: LiveItem, mode: LadderMode): boolean {
  // Fibonacci hashing, so that the sample does not beat in time with the producers.
  return (
    urgent || (mode === 'sampled' && (Math.imul(offset + partition, 0x9e37_79b1) >>> 8) % sampledOneIn === 0)
  );
}

/** The part of the batch that viewers on this step get; made once for all of them. */
export function partOf(batch: Batch, mode: LadderMode): LadderPart {
  let made = parts.get(batch);
  if (made === undefined) parts.set(batch, (made = {}));
  return (made[mode] ??= makePart(batch, mode));
}

function makePart({ stream, channel, cursor, items }: Batch, mode: LadderMode): LadderPart {
  const kept: LiveItem[] = [];
  const byLevel: LevelCounts = {};
  for (const item of items) {
    if (isKept(item, mode)) kept.push(item);
    else byLevel[item.level] = (byLevel[item.level] ?? 0) + 1;
  }
  return {
    kept: kept.length === 0 ? undefined : new Batch(stream, channel, cursor, kept, true),
    leftOut: items.length - kept.length,
    byLevel,
  };
}
