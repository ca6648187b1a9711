import type { DuplicateScan, LiveItem } from './stream-kind.ts';

interface PartitionDuplicates {
  scan: DuplicateScan;
  /** Duplicates are known from this offset on. */
  knownFrom: number;
  /** Runs of duplicates, [starts[i], ends[i]), ascending. */
  starts: number[];
  ends: number[];
}

const maxRuns = 10_000;

/**
 * Remembers which records of a stream are duplicates of earlier ones, so that a viewer that catches up gets exactly what a live one got.
 * Duplicates come in runs (a producer repeats what was not acknowledged).
 */
export class KnownDuplicates {
  readonly #partitions: PartitionDuplicates[];

  /** Per partition, a scan that is where the stream begins. */
  constructor(scans: readonly DuplicateScan[]) {
    this.#partitions = scans.map((scan) => ({ scan, knownFrom: scan.position, starts: [], ends: [] }));
  }

  /** Adds a partition's items in order; returns false for a duplicate. */
  admit(item: LiveItem): boolean {
    const known = this.#partitions[item.partition]!;
    if (known.scan.admit(item)) return true;
    const { starts, ends } = known;
    if (ends.at(-1) === item.offset) {
      ends[ends.length - 1] = item.offset + 1;
    } else {
      starts.push(item.offset);
      ends.push(item.offset + 1);
      if (ends.length > maxRuns) {
        known.knownFrom = Math.max(known.knownFrom, ends[0]!);
        starts.shift();
        ends.shift();
      }
    }
    return false;
  }

  knownFrom(partition: number): number {
    return this.#partitions[partition]!.knownFrom;
  }

  /** Whether the record at this offset, at or after knownFrom and admitted before, is a duplicate. */
  includes(partition: number, offset: number): boolean {
    const { starts, ends } = this.#partitions[partition]!;
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (ends[middle]! <= offset) low = middle + 1;
      else high = middle;
    }
    return low < starts.length && starts[low]! <= offset;
  }
}
