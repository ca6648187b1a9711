import { maxMetadataBytes } from '@logloom/event-log';
import type { Source } from '@logloom/schemas';

/**
 * The commit metadata of a raw partition: where each partition of logs.events ended at the commit. What was made of later raw
 * records stands behind these offsets. Written in base 36; with so many partitions that it would not fit, the offsets are rounded
 * down to a power of two: reading from too early only costs time.
 */
export function encodeEndOffsets(endOffsets: readonly number[]): string {
  for (let shift = 0; ; shift++) {
    const unit = 2 ** shift;
    const text = `${shift}:${endOffsets.map((offset) => Math.floor(offset / unit).toString(36)).join('.')}`;
    if (text.length <= maxMetadataBytes) return text;
  }
}

/** The inverse; undefined when the text is not ours or not for so many partitions. */
export function decodeEndOffsets(metadata: string, partitions: number): number[] | undefined {
  const match = /^(\d{1,2}):([0-9a-z.]+)$/.exec(metadata);
  const parts = match?.[2]!.split('.') ?? [];
  if (match === null || parts.length !== partitions) return undefined;
  const offsets = parts.map((part) => parseInt(part, 36) * 2 ** Number(match[1]));
  return offsets.every(Number.isSafeInteger) ? offsets : undefined;
}

/**
 * The raw offsets from `fromOffset` on that logs.events already holds, each with the indexes of its events, whatever partition they
 * went to: where an event belongs may have changed with the settings since.
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
