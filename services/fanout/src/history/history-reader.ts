import type { LogGap } from '@logloom/event-log';
import type { StreamDuplicates } from '../stream/stream-duplicates.ts';
import type { DecodedRecord } from '../stream/decode-records.ts';
import { blockRecords, blockStart, type History } from './history.ts';
import type { LiveItem } from '../stream/stream-kind.ts';

export interface HistoryReaderOptions {
  history: History;
  /** Undefined while the stream itself reads back with this reader: then nothing is dropped. */
  duplicates: StreamDuplicates | undefined;
  /** Per partition, where to stop for now. */
  end: () => readonly number[];
  /** The records that are gone from this offset of a partition on; undefined if none ever were. */
  gapAt: (partition: number, offset: number) => Promise<LogGap | undefined>;
  /** Which items it returns. */
  isOurs: (item: LiveItem) => boolean;
}

interface PartitionRecords {
  records: readonly DecodedRecord[];
  next: number;
  /** The duplicates below the offset from which the stream knows its duplicates. */
  olderDuplicates: ReadonlySet<number>;
}

const none: ReadonlySet<number> = new Set();

/** Reads all partitions of a stream from given offsets on, merged by append time, without duplicates. */
export class HistoryReader {
  /** Per partition, the offset after the last record that was returned or skipped. */
  readonly position: number[];
  /** Records that the log no longer had when this reader reached them. */
  lost = 0;
  readonly #options: HistoryReaderOptions;
  readonly #partitions: PartitionRecords[];

  constructor(from: readonly number[], options: HistoryReaderOptions) {
    this.position = [...from];
    this.#options = options;
    this.#partitions = from.map(() => ({ records: [], next: 0, olderDuplicates: none }));
  }

  /** Returns the next items; may be empty before the end, when viewers get none of what was read. */
  async read(maxRecords: number): Promise<LiveItem[]> {
    for (let p = 0; p < this.#partitions.length; p++) await this.#fill(p);
    const items: LiveItem[] = [];
    for (let taken = 0; taken < maxRecords; taken++) {
      const p = this.#oldest();
      if (p === undefined) break;
      const queue = this.#partitions[p]!;
      const { offset, item } = queue.records[queue.next++]!;
      this.position[p] = offset + 1;
      if (item !== undefined && this.#options.isOurs(item) && !this.#isDuplicate(queue, item))
        items.push(item);
      if (queue.next === queue.records.length && offset + 1 < this.#options.end()[p]!) break;
    }
    return items;
  }

  /** What it has read and not returned yet, in bytes as stored. */
  get heldBytes(): number {
    let bytes = 0;
    for (const { records, next } of this.#partitions)
      for (let i = next; i < records.length; i++) bytes += records[i]!.item?.bytes ?? 0;
    return bytes;
  }

  /** The partition whose next record was appended first. */
  #oldest(): number | undefined {
    let oldest: number | undefined;
    let oldestAtMs = Number.POSITIVE_INFINITY;
    for (let p = 0; p < this.#partitions.length; p++) {
      const { records, next } = this.#partitions[p]!;
      const record = records[next];
      if (record === undefined || record.appendedAtMs >= oldestAtMs) continue;
      oldest = p;
      oldestAtMs = record.appendedAtMs;
    }
    return oldest;
  }

  async #fill(p: number): Promise<void> {
    const queue = this.#partitions[p]!;
    while (queue.next === queue.records.length && this.position[p]! < this.#options.end()[p]!) {
      const from = this.#options.history.next(p, this.position[p]!);
      this.position[p] = from;
      // The present end: records that arrive during the read must not be skipped as a hole.
      const end = this.#options.end()[p]!;
      const block = await this.#options.history.from(p, from);
      queue.records = block.filter(({ offset }) => offset >= from && offset < end);
      queue.next = 0;
      queue.olderDuplicates = await this.#olderDuplicates(p, from);
      if (queue.records[0]?.offset === from) return;
      // Either a hole, or the log no longer has the records. Records that were read count, although they may have left the log since.
      const gap = await this.#options.gapAt(p, from);
      const behind = Math.min(gap?.to ?? from, queue.records[0]?.offset ?? end, end);
      this.lost += behind - from;
      if (queue.records.length > 0) return;
      this.position[p] = Math.min(end, Math.max(behind, blockStart(from) + blockRecords));
    }
  }

  async #olderDuplicates(p: number, from: number): Promise<ReadonlySet<number>> {
    const { duplicates } = this.#options;
    if (duplicates === undefined || duplicates.isKnownFrom(p, from)) return none;
    return duplicates.inBlock(p, blockStart(from));
  }

  #isDuplicate(queue: PartitionRecords, item: LiveItem): boolean {
    const { duplicates } = this.#options;
    if (duplicates === undefined) return false;
    const { partition, offset } = item;
    return duplicates.isKnownFrom(partition, offset)
      ? duplicates.hasKnown(item)
      : queue.olderDuplicates.has(offset);
  }
}
