import {
  DuckDBDataChunk,
  LIST,
  listValue,
  UINTEGER,
  USMALLINT,
  VARCHAR,
  type DuckDBBlobValue,
  type DuckDBConnection,
} from '@duckdb/node-api';
import { sqlLiteral } from '@logloom/filter';
import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { parquetRows } from '../parquet-rows.ts';
import { BlockWords } from './block-words.ts';
import { buildIdFilters, hashId, idColumns, type IdHash } from './id-filter.ts';
import { blocksPath, wordsPath, type BlockRange } from './slice-index.ts';

/** Rows of a block: what a look-up can leave out at the least. The row groups of slices have as many. */
const defaultBlockRows = 10_240;
/** Smaller slices are read whole: they are merged soon, and an index of each would cost more than it saves. */
export const leastIndexedRows = 50_000;

export interface SliceIndexOptions {
  /** Rows of a block; default 10,240. */
  blockRows?: number;
  /** Slices with fewer rows get no index; default 50,000. */
  leastRows?: number;
  /** Ends it before the next block, with nothing written. */
  signal?: AbortSignal;
}
const chunkRows = 2048;

/**
 * Writes the index of a slice beside it: which words are in which blocks of rows, in how many rows of each, and filters of its ids. Returns
 * false where the slice is too small for one, or it was aborted. Both files are durable when it resolves.
 */
export async function writeSliceIndex(
  connection: DuckDBConnection,
  slice: string,
  rows: number,
  { blockRows = defaultBlockRows, leastRows = leastIndexedRows, signal }: SliceIndexOptions = {},
): Promise<boolean> {
  if (rows < leastRows) return false;
  const words = new Map<string, number[]>();
  const blocks: BlockRange[] = [];
  const ids: IdHash[][] = [];
  const block = new BlockWords();
  for (let first = 0; first < rows; first += blockRows) {
    if (signal?.aborted === true) return false;
    const { range, texts, values } = await readBlock(connection, slice, first, blockRows);
    const number = blocks.push(range) - 1;
    block.add(texts);
    for (const [word, count] of block.entries()) {
      const places = words.get(word);
      if (places === undefined) words.set(word, [number, count]);
      else places.push(number, count);
    }
    block.clear();
    ids.push(idColumns.flatMap((column, i) => values[i]!.map((value) => hashId(column, value))));
  }
  await writeWords(connection, words, wordsPath(slice));
  writeBlocks(blocks, ids, blocksPath(slice));
  return true;
}

/** The words of each row of a block on a line, and the distinct values of the columns of ids. */
async function readBlock(
  connection: DuckDBConnection,
  slice: string,
  first: number,
  rows: number,
): Promise<{ range: BlockRange; texts: Uint8Array; values: string[][] }> {
  // One text for all: passing values to JavaScript one by one costs more than all else.
  const lists = idColumns.map((column) => `string_agg(DISTINCT ${lineOf(column)}, chr(10))`);
  const result = await connection.runAndReadAll(
    `SELECT count(*), epoch_us(min(timestamp)), epoch_us(max(timestamp)), encode(string_agg(words, chr(10))), ${lists.join(', ')}
     FROM ${parquetRows([slice], 'file_row_number')}
     WHERE file_row_number BETWEEN ${first} AND ${first + rows - 1}`,
  );
  const [count, fromMicros, toMicros, texts, ...joined] = result.getRows()[0]!;
  return {
    range: { rows: Number(count), fromMicros: Number(fromMicros), toMicros: Number(toMicros) },
    texts: (texts as DuckDBBlobValue).bytes,
    values: joined.map((list) => (list === null ? [] : (list as string).split('\n'))),
  };
}

/** SQL: an id without line breaks, as hashId() reads it. */
function lineOf(column: string): string {
  return `replace(${column}, chr(10), ' ')`;
}

/** A table of the words, in their order, that any reader of Parquet can open. */
async function writeWords(
  connection: DuckDBConnection,
  words: ReadonlyMap<string, readonly number[]>,
  path: string,
): Promise<void> {
  const table = 'slice_words';
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE ${table} (word VARCHAR, "rows" UINTEGER, blocks USMALLINT[], rows_of_blocks UINTEGER[])`,
  );
  const appender = await connection.createAppender(table);
  const entries = [...words];
  for (let from = 0; from < entries.length; from += chunkRows) {
    const step = entries.slice(from, from + chunkRows);
    const chunk = DuckDBDataChunk.create([VARCHAR, UINTEGER, LIST(USMALLINT), LIST(UINTEGER)], step.length);
    const counts = step.map(([, places]) => places.filter((_, i) => i % 2 === 1));
    chunk.setColumns([
      step.map(([word]) => word),
      counts.map((each) => each.reduce((sum, count) => sum + count, 0)),
      step.map(([, places]) => listValue(places.filter((_, i) => i % 2 === 0))),
      counts.map((each) => listValue(each)),
    ]);
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
  const pending = `${path}.writing`;
  await connection.run(
    `COPY (SELECT * FROM ${table} ORDER BY word) TO ${sqlLiteral(pending)}
     (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2, ROW_GROUP_SIZE 20480)`,
  );
  await connection.run(`DROP TABLE ${table}`);
  settle(pending, path);
}

/** A length, a header in JSON, the filters. */
function writeBlocks(blocks: readonly BlockRange[], ids: readonly IdHash[][], path: string): void {
  const { buckets, bytes } = buildIdFilters(ids);
  const header = Buffer.from(JSON.stringify({ version: 1, buckets, blocks }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  const pending = `${path}.writing`;
  writeFileSync(pending, Buffer.concat([length, header, bytes]));
  settle(pending, path);
}

function settle(pending: string, path: string): void {
  const file = openSync(pending, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(pending, path);
}
