import type { DecodedRecord } from '../stream/decode-records.ts';
import type { LiveStream } from '../stream/live-stream.ts';
import type { LiveFilter, LiveItem } from '../stream/stream-kind.ts';
import type { Turns } from '../admission/turns.ts';

const maxScannedRecords = 200_000;
const sliceItems = 1024;

/**
 * The offsets from which on there are the last `count` matches: fewer where the log has no more, or none more among its last
 * 200,000 records.
 */
export async function findTail(
  stream: LiveStream,
  filter: LiveFilter,
  count: number,
  turns: Turns,
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
    if (place >= ring.first && missing > 0) await turns.take();
  }
  if (missing === 0) return offsets;

  const lanes = offsets.map((_, p) => new BackwardLane(stream, p, ring.reach(p)));
  const start = await stream.startOffsets();
  for (let scanned = 0; scanned < maxScannedRecords && missing > 0; scanned++) {
    for (const lane of lanes) if (lane.isEmpty && lane.before > start[lane.partition]!) await lane.fill();
    const lane = newest(lanes);
    if (lane === undefined) {
      if (lanes.every(({ before, partition }) => before <= start[partition]!)) break;
      continue;
    }
    const { item } = lane.take();
    if (item !== undefined && !(await stream.isCopy(item))) visit(item);
  }
  return offsets;
}

function newest(lanes: readonly BackwardLane[]): BackwardLane | undefined {
  let newest: BackwardLane | undefined;
  for (const lane of lanes) if (lane.newestAt > (newest?.newestAt ?? -1)) newest = lane;
  return newest;
}

/** Reads one partition from an offset down. */
class BackwardLane {
  readonly partition: number;
  /** Everything from here on was read. */
  before: number;
  readonly #stream: LiveStream;
  #records: DecodedRecord[] = [];

  constructor(stream: LiveStream, partition: number, before: number) {
    this.#stream = stream;
    this.partition = partition;
    this.before = before;
  }

  get isEmpty(): boolean {
    return this.#records.length === 0;
  }

  /** The append time of the record that take() gives; -1 when there is none. */
  get newestAt(): number {
    return this.#records.at(-1)?.timestamp ?? -1;
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
