import type { Copies } from './copies.ts';
import type { DecodedRecord } from './decode-records.ts';
import { blockRecords, blockStart, type History } from './history.ts';
import type { LiveItem, Watermark } from './stream-kind.ts';

export interface HistoryReaderOptions {
  history: History;
  /** Undefined while the stream itself is warmed up with this reader: then nothing is dropped. */
  copies: Copies | undefined;
  makeWatermark: () => Watermark;
  /** Per partition, where to stop for now. */
  end: () => readonly number[];
  /** Per partition, the first offset that the log still has. */
  startOffsets: () => Promise<readonly number[]>;
}

interface Lane {
  records: readonly DecodedRecord[];
  next: number;
  /** Watermarks of the reader's own, below the offset from which the stream knows its copies. */
  watermark: Watermark | undefined;
}

/** How far back a reader looks for the originals of copies that it may meet. */
export const warmUpRecords = 4096;

/** Reads all partitions of a stream from given offsets on, merged by append time, without copies. */
export class HistoryReader {
  /** Per partition, the offset after the last record that was given or passed over. */
  readonly position: number[];
  /** Records that the log no longer had when this reader came to them. */
  lost = 0;
  readonly #options: HistoryReaderOptions;
  readonly #lanes: Lane[];
  #warm = false;

  constructor(from: readonly number[], options: HistoryReaderOptions) {
    this.position = [...from];
    this.#options = options;
    this.#lanes = from.map(() => ({ records: [], next: 0, watermark: undefined }));
  }

  /** The next items; may be empty before the end, when all that was read is nothing for viewers. */
  async read(maxRecords: number): Promise<LiveItem[]> {
    if (!this.#warm) await this.#warmUp();
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
      const block = await this.#options.history.blockAt(p, from);
      const end = this.#options.end()[p]!;
      lane.records = block.filter(({ offset }) => offset >= from && offset < end);
      lane.next = 0;
      if (lane.records[0]?.offset === from) return;
      // A hole, or the start of the log has moved on.
      const start = (await this.#options.startOffsets())[p]!;
      if (start > from) this.lost += start - from;
      if (lane.records.length > 0) return;
      this.position[p] = Math.min(end, Math.max(start, blockStart(from) + blockRecords));
    }
  }

  async #warmUp(): Promise<void> {
    this.#warm = true;
    const { copies, history, makeWatermark } = this.#options;
    if (copies === undefined) return;
    for (let p = 0; p < this.#lanes.length; p++) {
      const to = this.position[p]!;
      if (to >= copies.knownFrom(p)) continue;
      const watermark = makeWatermark();
      this.#lanes[p]!.watermark = watermark;
      for (let at = Math.max(0, to - warmUpRecords); at < to; at = blockStart(at) + blockRecords)
        for (const { offset, item } of await history.blockAt(p, at)) if (offset < to && item) watermark(item);
    }
  }

  #isCopy(lane: Lane, item: LiveItem): boolean {
    const { copies } = this.#options;
    if (copies === undefined) return false;
    if (item.offset < copies.knownFrom(item.partition)) return lane.watermark?.(item) === false;
    return copies.includes(item.partition, item.offset);
  }
}
