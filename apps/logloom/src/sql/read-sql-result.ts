import { CommandError } from '../commands/command-errors.ts';
import { refused } from '../commands/endpoint.ts';
import type { StreamedResponse } from '../commands/open-stream.ts';

export interface SqlResult {
  columns: { name: string; type: string }[];
  /** Throws CommandError `request-refused` at the end of a result that is not whole, `interrupted` if it was cut off. */
  rows: AsyncGenerator<Record<string, unknown>>;
}

/** The response to `POST /api/sql`. */
export function readSqlResult({ headers, body }: StreamedResponse): SqlResult {
  const columns = JSON.parse(
    decodeURIComponent(headers.get('logloom-columns') ?? '[]'),
  ) as SqlResult['columns'];
  return { columns, rows: rowsOf(body, columns) };
}

async function* rowsOf(
  body: AsyncIterable<Uint8Array>,
  columns: SqlResult['columns'],
): AsyncGenerator<Record<string, unknown>> {
  // A column may have that name too.
  const mayEndEarly = columns.length !== 1 || columns[0]?.name !== 'error';
  try {
    for await (const line of linesOf(body)) {
      const row = JSON.parse(line) as Record<string, unknown>;
      const isError = mayEndEarly && Object.keys(row).join() === 'error';
      if (isError) throw refused(row['error'] as { code: string; message: string });
      yield row;
    }
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    throw new CommandError('interrupted', `the result was cut off (${(cause as Error).message})`);
  }
}

/** Lines end with a line feed alone: rows may contain U+2028. */
async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const part of body) {
    const lines = (rest + decoder.decode(part, { stream: true })).split('\n');
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest !== '') yield rest;
}
