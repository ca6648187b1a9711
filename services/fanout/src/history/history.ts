import type { LogRecord, SkippedOffsets } from '@logloom/event-log';
import { memoryBudget } from '@logloom/settings';
import type { DecodedRecord } from '../stream/decode-records.ts';
import type { EventLoopQueue } from '../admission/event-loop-queue.ts';

export interface HistoryOptions {
  /** Reads the records of a partition from an offset on, at most `maxRecords`. */
  read: (partition: number, fromOffset: number, maxRecords: number) => Promise<LogRecord[]>;
  decode: (records: readonly LogRecord[]) => Promise<DecodedRecord[]>;
  /** Per partition, the offset up to which records are final; a block beyond it may still grow. */
  position: () => readonly number[];
  /** The offsets that a restored log has skipped. */
  skipped?: readonly SkippedOffsets[] | undefined;
  eventLoop: EventLoopQueue;
}

export const blockRecords = 512;
const maxParts = 128;
/** Bytes of the stored records; decoded they take a few times as much. */
const maxBytes = memoryBudget(0.05, 64 * 2 ** 20);
/** The factor by which the number of records that are read backwards shrinks if they were too large. */
const shrinkBy = 8;
const maxShort = 4096;

/** Records that were read at once: all from an offset up to `next`. */
interface Part {
  records: DecodedRecord[];
  next: number;
  bytes: number;
}

/**
 * The log in decoded blocks of fixed bounds, so that viewers that catch up near each other share them; a block of large records in parts,
 * as the log returns them, so that none holds more than a few megabytes.
 */
export class History {
  readonly #options: HistoryOptions;
  readonly #parts = new Map<string, { loading: Promise<Part>; bytes: number }>();
  /** Blocks of several parts, with the end of the first part. */
  readonly #short = new Map<string, number>();
  #bytes = 0;

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  /**
   * Records of the block that holds this offset, as far as the log has them: those from the offset on, up to the block's end or as many as
   * are read at once, and perhaps some before it. If it returns none from the offset on, there are none up to the block's end.
   */
  async from(partition: number, offset: number): Promise<DecodedRecord[]> {
    const first = blockStart(offset);
    // A block that may still grow is not cached, so reading the records before the offset would be useless.
    if (!this.#isFinal(partition, first)) return (await this.#part(partition, offset)).records;
    const shortEnd = this.#short.get(keyOf(partition, first));
    if (shortEnd === undefined || offset < shortEnd) {
      const part = await this.#part(partition, first);
      if (offset < part.next) return part.records;
    }
    return (await this.#part(partition, offset)).records;
  }

  /** Returns the last records before this offset in the previous record's block, at least one if there is any, and where they begin. */
  async before(partition: number, end: number): Promise<{ records: DecodedRecord[]; from: number }> {
    const offset = this.#skip(partition, (skip) => skip.from < end && end <= skip.to)?.from ?? end;
    if (offset === 0) return { records: [], from: 0 };
    const first = blockStart(offset - 1);
    for (let count = offset - first; ; count = Math.max(1, Math.floor(count / shrinkBy))) {
      const from = count === offset - first ? first : offset - count;
      const { records, next } = await this.#part(partition, from);
      if (next >= offset || count === 1)
        return { records: records.filter((record) => record.offset < offset), from };
    }
  }

  /** Where to read on from this offset: behind the offsets that were skipped there. */
  next(partition: number, offset: number): number {
    return this.#skip(partition, ({ from, to }) => from <= offset && offset < to)?.to ?? offset;
  }

  #skip(partition: number, holds: (skip: SkippedOffsets) => boolean): SkippedOffsets | undefined {
    return this.#options.skipped?.find((skip) => skip.partition === partition && holds(skip));
  }

  #part(partition: number, from: number): Promise<Part> {
    const key = keyOf(partition, from);
    const kept = this.#parts.get(key);
    if (kept !== undefined) {
      this.#parts.delete(key);
      this.#parts.set(key, kept);
      return kept.loading;
    }
    const isFinal = this.#isFinal(partition, blockStart(from));
    const loading = this.#load(partition, from, isFinal);
    if (isFinal) this.#keep(key, loading);
    return loading;
  }

  #isFinal(partition: number, first: number): boolean {
    return first + blockRecords <= this.#options.position()[partition]!;
  }

  async #load(partition: number, from: number, isFinal: boolean): Promise<Part> {
    await this.#options.eventLoop.slot();
    const first = blockStart(from);
    const end = first + blockRecords;
    const read = await this.#options.read(partition, from, end - from);
    // Offsets may have holes, so that a full read goes on into the next block.
    const wanted = read.filter((record) => record.offset < end);
    const isAll = wanted.length < read.length || read.length === 0 || read.length === end - from;
    const next = isAll ? end : wanted.at(-1)!.offset + 1;
    if (isFinal && next < end && from === first) this.#noteShort(keyOf(partition, first), next);
    const bytes = wanted.reduce((sum, { value }) => sum + value.length, 0);
    return { records: await this.#options.decode(wanted), next, bytes };
  }

  #noteShort(key: string, next: number): void {
    this.#short.set(key, next);
    if (this.#short.size > maxShort) this.#short.delete(this.#short.keys().next().value!);
  }

  #keep(key: string, loading: Promise<Part>): void {
    const kept = { loading, bytes: 0 };
    this.#parts.set(key, kept);
    loading.then(
      ({ bytes }) => {
        if (this.#parts.get(key) !== kept) return;
        kept.bytes = bytes;
        this.#bytes += bytes;
        this.#evict();
      },
      () => this.#parts.delete(key),
    );
  }

  #evict(): void {
    for (const [key, { bytes }] of this.#parts) {
      if (this.#parts.size <= maxParts && this.#bytes <= maxBytes) return;
      this.#parts.delete(key);
      this.#bytes -= bytes;
    }
  }
}

function keyOf(partition: number, from: number): string {
  return `${partition}/${from}`;
}

/** The first offset of the block that holds this one. */
export function blockStart(offset: number): number {
  return offset - (offset % blockRecords);
}
