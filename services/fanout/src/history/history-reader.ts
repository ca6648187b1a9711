import type { LogGap } from '@logloom/event-log';
import type { Copies } from '../stream/copies.ts';
import type { DecodedRecord } from '../stream/decode-records.ts';
import { blockRecords, blockStart, type History } from './history.ts';
import type { LiveItem } from '../stream/stream-kind.ts';

export interface HistoryReaderOptions {
  history: History;
  /** Undefined while the stream itself reads back with this reader: then nothing is dropped. */
  copies: Copies | undefined;
  /** The offsets of the copies in the block that begins at `first`; asked for what lies before the copies that the stream knows. */
  copiesIn: (partition: number, first: number) => Promise<ReadonlySet<number>>;
  /** Per partition, where to stop for now. */
  end: () => readonly number[];
  /** What is gone from this offset of a partition on; undefined where nothing ever was. */
  gapAt: (partition: number, offset: number) => Promise<LogGap | undefined>;
}

interface Lane {
  records: readonly DecodedRecord[];
  next: number;
  /** Those below the offset from which the stream knows its copies. */
  olderCopies: ReadonlySet<number>;
}

const none: ReadonlySet<number> = new Set();

/** Reads all partitions of a stream from given offsets on, merged by append time, without copies. */
export class HistoryReader {
  /** Per partition, the offset after the last record that was given or passed over. */
  readonly position: number[];
  /** Records that the log no longer had when this reader came to them. */
  lost = 0;
  readonly #options: HistoryReaderOptions;
  readonly #lanes: Lane[];

  constructor(from: readonly number[], options: HistoryReaderOptions) {
    this.position = [...from];
    this.#options = options;
    this.#lanes = from.map(() => ({ records: [], next: 0, olderCopies: none }));
  }

  /** The next items; may be empty before the end, when all that was read is nothing for viewers. */
  async read(maxRecords: number): Promise<LiveItem[]> {
    for (let p = 0; p < this.#lanes.length; p++) await this.#fill(p);
    const items: LiveItem[] = [];
    for (let taken = 0; taken < maxRecords; taken++) {
      const p = this.#oldest();
      if (p === undefined) break;
      const lane = this.#lanes[p]!;
      const { offset, item } = lane.records[lane.next++]!;
      this.position[p] = offset + 1;
      if (item !== undefined && !this.#isCopy(lane, item)) items.push(item);
      if (lane.next === lane.records.length && offset + 1 < this.#options.end()[p]!) break;
    }
    return items;
  }

  /** What it has read and not given yet, in bytes as stored. */
  get heldBytes(): number {
    let bytes = 0;
    for (const { records, next } of this.#lanes)
      for (let i = next; i < records.length; i++) bytes += records[i]!.item?.bytes ?? 0;
    return bytes;
  }

  /** The partition whose next record was appended first. */
  #oldest(): number | undefined {
    let oldest: number | undefined;
    let oldestAt = Number.POSITIVE_INFINITY;
    for (let p = 0; p < this.#lanes.length; p++) {
      const { records, next } = this.#lanes[p]!;
      const record = records[next];
      if (record === undefined || record.timestamp >= oldestAt) continue;
      oldest = p;
      oldestAt = record.timestamp;
    }
    return oldest;
  }

  async #fill(p: number): Promise<void> {
    const lane = this.#lanes[p]!;
    while (lane.next === lane.records.length && this.position[p]! < this.#options.end()[p]!) {
      const from = this.position[p]!;
      // Of now: what comes while this is read must not be passed over as a hole.
      const end = this.#options.end()[p]!;
      const block = await this.#options.history.from(p, from);
      lane.records = block.filter(({ offset }) => offset >= from && offset < end);
      lane.next = 0;
      lane.olderCopies = await this.#olderCopies(p, from);
      if (lane.records[0]?.offset === from) return;
      // A hole, or what was there is gone; what was read is not, though it may have left the log since.
      const gap = await this.#options.gapAt(p, from);
      const behind = Math.min(gap?.to ?? from, lane.records[0]?.offset ?? end, end);
      this.lost += behind - from;
      if (lane.records.length > 0) return;
      this.position[p] = Math.min(end, Math.max(behind, blockStart(from) + blockRecords));
    }
  }

  async #olderCopies(p: number, from: number): Promise<ReadonlySet<number>> {
    const { copies, copiesIn } = this.#options;
    return copies === undefined || from >= copies.knownFrom(p) ? none : copiesIn(p, blockStart(from));
  }

  #isCopy(lane: Lane, item: LiveItem): boolean {
    const { copies } = this.#options;
    if (copies === undefined) return false;
    if (item.offset < copies.knownFrom(item.partition)) return lane.olderCopies.has(item.offset);
    return copies.includes(item.partition, item.offset);
  }
}
