import { sqlMicros } from '@logloom/filter';
import type { Engine } from './engine.ts';
import { parquetRows } from './parquet-rows.ts';
import { retentionColumn } from './schema.ts';
import type { SliceKind } from './slice.ts';

/** How many rows of a slice's file are older, as retention sees it. */
export async function countBefore(
  engine: Engine,
  kind: SliceKind,
  path: string,
  micros: number,
): Promise<number> {
  const [row] = await engine.rows(
    `SELECT count(*) FROM ${parquetRows([path])} WHERE ${retentionColumn[kind]} < ${sqlMicros(micros)}`,
  );
  return Number(row![0]);
}
