import { sqlLiteral } from '@logloom/filter';

/** SQL: a relation with the rows of these files. `added`: has this column too, which tells where a row is. */
export function parquetRows(paths: readonly string[], added?: 'filename' | 'file_row_number'): string {
  const options = added === undefined ? '' : `, ${added} = true`;
  // Else a folder `service=x` on the way to the files would be taken for the values of a column.
  return `read_parquet([${paths.map(sqlLiteral).join(', ')}]${options}, hive_partitioning = false)`;
}
