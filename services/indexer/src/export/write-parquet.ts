import {
  BIGINT,
  DuckDBDataChunk,
  DuckDBInstance,
  INTEGER,
  VARCHAR,
  type DuckDBConnection,
  type DuckDBType,
  type DuckDBValue,
} from '@duckdb/node-api';
import { parquetRows } from '@logloom/column-store';
import { sqlLiteral } from '@logloom/filter';
import type { FoundEvent } from '@logloom/search-store';
import { join } from 'node:path';

/** The columns, by the names that the tables of SQL have too, and what each is made of. */
const columns: readonly {
  name: string;
  type: DuckDBType;
  sql?: string;
  value: (event: FoundEvent) => DuckDBValue;
}[] = [
  { name: 'id', type: VARCHAR, value: ({ id }) => id },
  {
    name: 'timestamp',
    type: BIGINT,
    sql: 'make_timestamp(timestamp) AS timestamp',
    value: ({ timestamp }) => BigInt(timestamp),
  },
  { name: 'level', type: VARCHAR, value: ({ level }) => level },
  { name: 'service', type: VARCHAR, value: ({ service }) => service },
  { name: 'host', type: VARCHAR, value: ({ host }) => host },
  { name: 'message', type: VARCHAR, value: ({ message }) => message },
  { name: 'correlation_id', type: VARCHAR, value: ({ correlationId }) => correlationId },
  { name: 'correlation_kind', type: VARCHAR, value: ({ correlationKind }) => correlationKind },
  { name: 'trace_id', type: VARCHAR, value: ({ traceId }) => traceId },
  { name: 'span_id', type: VARCHAR, value: ({ spanId }) => spanId },
  { name: 'attributes', type: VARCHAR, value: ({ attributes }) => attributes },
  { name: 'partition', type: INTEGER, value: ({ partition }) => partition },
  { name: 'offset', type: BIGINT, value: ({ offset }) => BigInt(offset) },
];

/** Rows are in memory until there are so many: some tens of MB. */
const groupRows = 20_480;
const chunkRows = 2_048;
const memoryLimit = '200MB';

/** Writes the events of the pages to a file in the folder, in their order; returns its path. */
export async function writeParquet(
  pages: AsyncIterable<readonly FoundEvent[]>,
  folder: string,
): Promise<string> {
  // One thread keeps the order, and the buffers few.
  const options = { memory_limit: memoryLimit, threads: '1', temp_directory: folder };
  const instance = await DuckDBInstance.create(':memory:', options);
  try {
    const connection = await instance.connect();
    const groups: string[] = [];
    let rows: FoundEvent[] = [];
    const flush = async (): Promise<void> => {
      const file = join(folder, `group-${groups.length}`);
      await writeGroup(connection, rows, file);
      groups.push(file);
      rows = [];
    };
    for await (const page of pages) {
      rows.push(...page);
      if (rows.length >= groupRows) await flush();
    }
    if (rows.length > 0 || groups.length === 0) await flush();
    if (groups.length === 1) return groups[0]!;
    const file = join(folder, 'all');
    await connection.run(`COPY (SELECT * FROM ${parquetRows(groups)}) TO ${sqlLiteral(file)} ${format}`);
    return file;
  } finally {
    instance.closeSync();
  }
}

const format = `(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${groupRows})`;

async function writeGroup(
  connection: DuckDBConnection,
  rows: readonly FoundEvent[],
  file: string,
): Promise<void> {
  const definitions = columns.map(({ name, type }) => `"${name}" ${String(type)}`).join(', ');
  await connection.run(`CREATE TABLE rows (${definitions})`);
  const appender = await connection.createAppender('rows');
  const types = columns.map(({ type }) => type);
  for (let from = 0; from < rows.length; from += chunkRows) {
    const part = rows.slice(from, from + chunkRows);
    const chunk = DuckDBDataChunk.create(types, part.length);
    chunk.setColumns(columns.map(({ value }) => part.map(value)));
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
  const selected = columns.map(({ name, sql }) => sql ?? `"${name}"`).join(', ');
  await connection.run(`COPY (SELECT ${selected} FROM rows) TO ${sqlLiteral(file)} ${format}`);
  await connection.run('DROP TABLE rows');
}
