import { memberOffsets } from '@logloom/schemas';
import type { CorrelationItem } from '../stream/correlations-stream.ts';
import type { LiveStream } from '../stream/live-stream.ts';
import type { LiveItem } from '../stream/stream-kind.ts';

/** How many records of the document's partition are searched for its previous revision. */
const maxBack = 4096;

/**
 * The offset of the last member of the previous revision; -1 if there is none, or it is not among the last 4,096 records. It depends on the
 * log alone, so that a viewer that catches up gets what a live one got. Rejects when the log cannot be read.
 */
export async function lastMemberBefore(stream: LiveStream, document: CorrelationItem): Promise<number> {
  const { correlation, partition, offset } = document;
  if (correlation.revision <= 1) return -1;
  const isBefore = (item: LiveItem | undefined): boolean => {
    const other = (item as CorrelationItem | undefined)?.correlation;
    return other?.id === correlation.id && other.revision < correlation.revision;
  };
  const end = Math.max(0, offset - maxBack);
  let found: LiveItem | undefined = stream.ring.findBefore(partition, offset, end, isBefore);
  let before = Math.min(offset, stream.ring.reach(partition));
  while (found === undefined && before > end) {
    const { records, from } = await stream.historyBefore(partition, before);
    found = records.findLast(({ item }) => isBefore(item))?.item;
    before = from;
  }
  return found === undefined ? -1 : memberOffsets((found as CorrelationItem).correlation).at(-1)!;
}
