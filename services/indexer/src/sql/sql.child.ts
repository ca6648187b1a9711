// The process of one statement (run-sql.ts): it has no settings, no credentials, and no files but those of the store.
import type { DuckDBConnection, Json } from '@duckdb/node-api';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { jsonValue } from './json-value.ts';
import { openSandbox } from './open-sandbox.ts';
import { prepareStatement } from './prepare-statement.ts';
import type { SqlFailure, SqlHead, SqlJob } from './sql-job.ts';

const job = JSON.parse(await text(process.stdin)) as SqlJob;
try {
  await run(await openSandbox(job));
} catch (error) {
  write({ error: failureOf(error) });
}
// What DuckDB still does ends with the process.
await new Promise<void>((resolve) => void process.stdout.write('', () => resolve()));
process.exit(0);

async function run(connection: DuckDBConnection): Promise<void> {
  const result = await (await prepareStatement(connection, job.sql)).stream();
  const names = result.deduplicatedColumnNames();
  const types = result.columnTypes();
  write({ columns: names.map((name, i) => ({ name, type: String(types[i]) })) });
  const isJson = types.map(({ alias }) => alias === 'JSON');
  let rows = 0;
  let bytes = 0;
  for await (const step of result.yieldConvertedRows(jsonValue)) {
    let lines = '';
    for (const row of step) {
      const line = `${JSON.stringify(Object.fromEntries(names.map((name, i) => [name, valueOf(row[i], isJson[i])])))}\n`;
      rows++;
      bytes += Buffer.byteLength(line);
      const limit =
        rows > job.maxRows
          ? `${job.maxRows} rows`
          : bytes > job.maxBytes
            ? `${job.maxBytes} bytes`
            : undefined;
      if (limit !== undefined) {
        process.stdout.write(lines);
        return write({
          error: {
            code: 'sql-limit',
            message: `the result is longer than ${limit}; these are its first rows`,
          },
        });
      }
      lines += line;
    }
    if (!process.stdout.write(lines)) await once(process.stdout, 'drain');
  }
}

/** JSON is embedded as what it says. */
function valueOf(value: Json | null | undefined, isJson = false): Json {
  if (value === null || value === undefined) return null;
  return isJson && typeof value === 'string' ? (JSON.parse(value) as Json) : value;
}

function failureOf(error: unknown): SqlFailure {
  const message = error instanceof Error ? error.message : String(error);
  if (/^Out of Memory|memory limit|max_temp_directory_size/i.test(message))
    return { code: 'sql-limit', message: `the statement needs more memory than ${job.memoryBytes} bytes` };
  // Merging has replaced a file since the statement began.
  if (/No files found|No such file/i.test(message))
    return { code: 'store-unavailable', message: 'the files of the store have changed meanwhile; try again' };
  return { code: 'bad-sql', message };
}

function write(line: SqlHead): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
