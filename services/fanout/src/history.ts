import type { LogRecord } from '@logloom/event-log';
import type { DecodedRecord } from './decode-records.ts';
import type { Turns } from './turns.ts';

export interface HistoryOptions {
  /** Reads the records of a partition from an offset on, at most so many. */
  read: (partition: number, fromOffset: number, maxRecords: number) => Promise<LogRecord[]>;
  decode: (records: readonly LogRecord[]) => Promise<DecodedRecord[]>;
  /** Per partition, the offset up to which records are final; a block beyond it may still grow. */
  position: () => readonly number[];
  turns: Turns;
}

export const blockRecords = 512;
const maxBlocks = 128;

/** The log in decoded blocks of fixed bounds. Viewers who catch up near each other share them. */
export class History {
  readonly #options: HistoryOptions;
  readonly #blocks = new Map<string, Promise<DecodedRecord[]>>();

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  /** The records of the block that holds this offset, as far as the log has them. */
  blockAt(partition: number, offset: number): Promise<DecodedRecord[]> {
    const first = blockStart(offset);
    const key = `${partition}/${first}`;
    let block = this.#blocks.get(key);
    if (block === undefined) {
      block = this.#load(partition, first);
      if (first + blockRecords <= this.#options.position()[partition]!) this.#keep(key, block);
    } else {
      this.#blocks.delete(key);
      this.#blocks.set(key, block);
    }
    return block;
  }

  async #load(partition: number, first: number): Promise<DecodedRecord[]> {
    await this.#options.turns.take();
    const records = await this.#options.read(partition, first, blockRecords);
    // Offsets may have holes, so that a full read goes on into the next block.
    return this.#options.decode(records.filter((record) => record.offset < first + blockRecords));
  }

  #keep(key: string, block: Promise<DecodedRecord[]>): void {
    this.#blocks.set(key, block);
    block.catch(() => this.#blocks.delete(key));
    if (this.#blocks.size > maxBlocks) this.#blocks.delete(this.#blocks.keys().next().value!);
  }
}

/** The first offset of the block that holds this one. */
export function blockStart(offset: number): number {
  return offset - (offset % blockRecords);
}
