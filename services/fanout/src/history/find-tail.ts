import type { DecodedRecord } from '../stream/decode-records.ts';
import type { LiveFilter, LiveItem } from '../stream/stream-kind.ts';
import type { ViewerStream } from '../stream/viewer-stream.ts';
import type { EventLoopQueue } from '../admission/event-loop-queue.ts';

const sliceItems = 1024;

/**
 * Returns the offsets from which the last `count` matches follow: fewer if the log has no more, or has no more among its last
 * maxTailRecords records.
 */
export async function findTail(
  stream: ViewerStream,
  filter: LiveFilter,
  count: number,
  eventLoop: EventLoopQueue,
): Promise<number[]> {
  const offsets = [...stream.position];
  let missing = count;
  const visit = (item: LiveItem): void => {
    if (!filter.matches(item.subject())) return;
    offsets[item.partition] = item.offset;
    missing--;
  };

  const { ring } = stream;
  let place = ring.end - 1;
  while (place >= ring.first && missing > 0) {
    const stop = Math.max(ring.first, place - sliceItems);
    for (; place >= stop && missing > 0; place--) visit(ring.at(place));
    if (place >= ring.first && missing > 0) await eventLoop.slot();
  }
  if (missing === 0) return offsets;

  const readers = offsets.map((_, p) => new BackwardReader(stream, p, ring.reach(p)));
  const start = await stream.startOffsets();
  for (let scanned = 0; scanned < stream.maxTailRecords && missing > 0; scanned++) {
    for (const reader of readers)
      if (reader.isEmpty && reader.before > start[reader.partition]!) await reader.fill();
    const reader = newest(readers);
    if (reader === undefined) {
      if (readers.every(({ before, partition }) => before <= start[partition]!)) break;
      continue;
    }
    const { item } = reader.take();
    if (item !== undefined && !(await stream.duplicates.has(item))) visit(item);
  }
  return offsets;
}

function newest(readers: readonly BackwardReader[]): BackwardReader | undefined {
  let newest: BackwardReader | undefined;
  for (const reader of readers) if (reader.newestAtMs > (newest?.newestAtMs ?? -1)) newest = reader;
  return newest;
}

/** Reads one partition from an offset down. */
class BackwardReader {
  readonly partition: number;
  /** Everything from this offset on was read. */
  before: number;
  readonly #stream: ViewerStream;
  #records: DecodedRecord[] = [];

  constructor(stream: ViewerStream, partition: number, before: number) {
    this.#stream = stream;
    this.partition = partition;
    this.before = before;
  }

  get isEmpty(): boolean {
    return this.#records.length === 0;
  }

  /** The append time, ms, of the record that take() returns; -1 when there is none. */
  get newestAtMs(): number {
    return this.#records.at(-1)?.appendedAtMs ?? -1;
  }

  take(): DecodedRecord {
    return this.#records.pop()!;
  }

  async fill(): Promise<void> {
    const { records, from } = await this.#stream.historyBefore(this.partition, this.before);
    this.before = from;
    this.#records = records;
  }
}
