import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { blocksWithId, hashId, type IdColumn } from './id-filter.ts';

/** Rows that follow each other in a slice. */
export interface BlockRange {
  rows: number;
  /** The times of its earliest and its latest event. */
  fromMicros: number;
  toMicros: number;
}

/** The table of a slice's words: `word`, in how many `rows`, in which `blocks`, and in how many rows of each (`rows_of_blocks`). */
export function wordsPath(slice: string): string {
  return slice.replace(/\.parquet$/, '.words');
}

/** The file with a slice's blocks, and filters of their ids. */
export function blocksPath(slice: string): string {
  return slice.replace(/\.parquet$/, '.blocks');
}

interface Header {
  version: number;
  buckets: number;
  blocks: BlockRange[];
}

/** The index of a slice, which lies beside it and is written by writeSliceIndex(). */
export class SliceIndex {
  readonly blocks: readonly BlockRange[];
  readonly #path: string;
  readonly #start: number;
  readonly #buckets: number;

  /** Undefined where the slice has none that this release can read. Its words are in `wordsPath(slice)`. */
  static open(slice: string): SliceIndex | undefined {
    const path = blocksPath(slice);
    let file: number;
    try {
      file = openSync(path, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    try {
      const length = Buffer.alloc(4);
      readSync(file, length, 0, 4, 0);
      const header = Buffer.alloc(Math.min(length.readUInt32LE(), fstatSync(file).size));
      readSync(file, header, 0, header.length, 4);
      return new SliceIndex(path, header);
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
      throw error;
    } finally {
      closeSync(file);
    }
  }

  private constructor(path: string, header: Buffer) {
    const { version, buckets, blocks } = JSON.parse(header.toString()) as Header;
    if (version !== 1) throw new RangeError(`unknown version ${version} of an index`);
    this.blocks = blocks;
    this.#path = path;
    this.#start = 4 + header.length;
    this.#buckets = buckets;
  }

  /** The numbers of the blocks that may have the id; all others do not. */
  blocksWithId(column: IdColumn, id: string): number[] {
    const place = { start: this.#start, buckets: this.#buckets, blocks: this.blocks.length };
    return blocksWithId(this.#path, place, hashId(column, id));
  }
}
