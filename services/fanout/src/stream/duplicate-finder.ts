import { duplicateWindowRecords } from '@logloom/event-log';
import { blockRecords } from '../history/history.ts';
import type { DuplicateScan } from './stream-kind.ts';

const none: ReadonlySet<number> = new Set();
const maxBlocks = 65_536;

/**
 * Finds the duplicates of a partition's past, block by block, for all readers together: one scan serves them in the order of their places,
 * so that many returning readers cost about as much as one. Memory is bounded; evicted results are computed again.
 */
export class DuplicateFinder {
  readonly #open: (offset: number) => Promise<DuplicateScan>;
  readonly #position: () => number;
  readonly #blocks = new Map<number, ReadonlySet<number>>();
  readonly #wanted = new Map<number, PromiseWithResolvers<ReadonlySet<number>>>();
  #scan: DuplicateScan | undefined;
  #isRunning = false;

  /** `position`: the offset up to which records are final. */
  constructor(open: (offset: number) => Promise<DuplicateScan>, position: () => number) {
    this.#open = open;
    this.#position = position;
  }

  /** The offsets of the duplicates in the block that begins there. Rejects when the log cannot be read. */
  async duplicatesIn(first: number): Promise<ReadonlySet<number>> {
    const known = this.#blocks.get(first);
    if (known !== undefined) return known;
    let wanted = this.#wanted.get(first);
    if (wanted === undefined) this.#wanted.set(first, (wanted = Promise.withResolvers()));
    if (!this.#isRunning) void this.#run();
    return wanted.promise;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#wanted.size > 0) {
      const target = this.#next();
      try {
        await this.#scanUpTo(target);
      } catch (error) {
        this.#scan = undefined;
        this.#wanted.get(target)?.reject(error);
        this.#wanted.delete(target);
      }
    }
    this.#isRunning = false;
  }

  /** The nearest block ahead of the scan, or the first of all if the scan would have to skip more than a new scan reads. */
  #next(): number {
    const position = this.#scan?.position ?? Infinity;
    let lowest = Infinity;
    let ahead = Infinity;
    for (const first of this.#wanted.keys()) {
      lowest = Math.min(lowest, first);
      if (first >= position) ahead = Math.min(ahead, first);
    }
    return ahead - position <= duplicateWindowRecords ? ahead : lowest;
  }

  async #scanUpTo(target: number): Promise<void> {
    const position = this.#scan?.position ?? Infinity;
    if (target < position || target - position > duplicateWindowRecords)
      this.#scan = await this.#open(target);
    const scan = this.#scan!;
    while (scan.position <= target) {
      const first = scan.position;
      const duplicates = await scan.duplicatesUpTo(first + blockRecords);
      const found = duplicates.length === 0 ? none : new Set(duplicates);
      if (first + blockRecords <= this.#position()) this.#keep(first, found);
      // The block still grows: it has to be read again.
      else this.#scan = undefined;
      this.#wanted.get(first)?.resolve(found);
      this.#wanted.delete(first);
    }
  }

  #keep(first: number, duplicates: ReadonlySet<number>): void {
    this.#blocks.set(first, duplicates);
    if (this.#blocks.size > maxBlocks) this.#blocks.delete(this.#blocks.keys().next().value!);
  }
}
