import { blockStart } from '../history/history.ts';
import { DuplicateFinder } from './duplicate-finder.ts';
import { KnownDuplicates } from './known-duplicates.ts';
import type { DuplicateScan, LiveItem } from './stream-kind.ts';

/** Finds the duplicates of a stream: from memory for records that it has read itself, by reading the log again for older ones. */
export class StreamDuplicates {
  readonly #known: KnownDuplicates;
  readonly #finders: readonly DuplicateFinder[];

  /**
   * `scans`: per partition, a scan that is where the stream begins; `scanFrom` opens others. `position`: per partition, the offset up
   * to which records are final.
   */
  constructor(
    scans: readonly DuplicateScan[],
    scanFrom: (partition: number, offset: number) => Promise<DuplicateScan>,
    position: readonly number[],
  ) {
    this.#known = new KnownDuplicates(scans);
    this.#finders = scans.map(
      (_, p) =>
        new DuplicateFinder(
          (offset) => scanFrom(p, offset),
          () => position[p]!,
        ),
    );
  }

  /** Adds a partition's new items in order; returns false for a duplicate. */
  admit(item: LiveItem): boolean {
    return this.#known.admit(item);
  }

  /** Whether a record that the stream has passed is a duplicate. Rejects when the log cannot be read. */
  async has({ partition, offset }: LiveItem): Promise<boolean> {
    if (this.isKnownFrom(partition, offset)) return this.#known.includes(partition, offset);
    return (await this.inBlock(partition, blockStart(offset))).has(offset);
  }

  /** Whether the stream knows its duplicates from this offset on, so that hasKnown() applies. */
  isKnownFrom(partition: number, offset: number): boolean {
    return offset >= this.#known.knownFrom(partition);
  }

  hasKnown({ partition, offset }: LiveItem): boolean {
    return this.#known.includes(partition, offset);
  }

  /** The offsets of the duplicates in the block that begins at `first`, for what lies before the known ones. Rejects as has(). */
  inBlock(partition: number, first: number): Promise<ReadonlySet<number>> {
    return this.#finders[partition]!.duplicatesIn(first);
  }
}
