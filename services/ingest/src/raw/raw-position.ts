import { maxMetadataBytes } from '@logloom/event-log';
import type { Source } from '@logloom/schemas';

/**
 * Returns the commit metadata of a raw partition: the end offsets of logs.events at the commit. Events of later raw records are beyond
 * these offsets. They are written in base 36. With so many partitions that they would not fit, they are rounded down to a multiple of a
 * power of two: reading from too early only costs time.
 */
export function encodeEndOffsets(endOffsets: readonly number[]): string {
  for (let shift = 0; ; shift++) {
    const unit = 2 ** shift;
    const text = `${shift}:${endOffsets.map((offset) => Math.floor(offset / unit).toString(36)).join('.')}`;
    if (text.length <= maxMetadataBytes) return text;
  }
}

/** The inverse of encodeEndOffsets(). Returns undefined when the text is something else, or for another number of partitions. */
export function decodeEndOffsets(metadata: string, partitions: number): number[] | undefined {
  const match = /^(\d{1,2}):([0-9a-z.]+)$/.exec(metadata);
  const parts = match?.[2]!.split('.') ?? [];
  if (match === null || parts.length !== partitions) return undefined;
  const offsets = parts.map((part) => parseInt(part, 36) * 2 ** Number(match[1]));
  return offsets.every(Number.isSafeInteger) ? offsets : undefined;
}

/**
 * Returns the raw offsets from `fromOffset` on that logs.events already holds, each with the indexes of its events. Their partition does
 * not matter: the settings that choose it may have changed since.
 */
export function writtenOffsets(
  sources: Iterable<Source>,
  raw: Pick<Source, 'topic' | 'partition'>,
  fromOffset: number,
  written = new Map<number, Set<number>>(),
): Map<number, Set<number>> {
  for (const { kind, topic, partition, offset, index } of sources) {
    if (kind !== 'kafka' || topic !== raw.topic || partition !== raw.partition || offset < fromOffset)
      continue;
    const indexes = written.get(offset);
    if (indexes === undefined) written.set(offset, new Set([index]));
    else indexes.add(index);
  }
  return written;
}
