import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { CommandError } from '../commands/command-errors.ts';
import { openStream } from '../commands/open-stream.ts';
import type { ViewersEndpoint } from '../commands/endpoint.ts';
import { lastRecord } from './last-record.ts';

export interface ExportedFile {
  file: string;
  format: 'ndjson' | 'csv';
  /** The parameters of `GET /api/export`. */
  query: Readonly<Record<string, string | undefined>>;
  resumes: boolean;
  signal: AbortSignal;
}

/** What a file that is not complete needs to be continued, beside it. */
interface Unfinished {
  query: Record<string, string>;
  snapshot: string;
}

/**
 * Writes what is exported into a file, or continues one exactly where its last whole record ends. Returns the bytes that it has then.
 * Throws CommandError: `interrupted` if it ended early, `command-failed` if the file does not fit.
 */
export async function exportFile(endpoint: ViewersEndpoint, exported: ExportedFile): Promise<number> {
  const { file, format, resumes, signal } = exported;
  const stateFile = `${file}.unfinished`;
  const query = Object.fromEntries(
    Object.entries(exported.query).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const state = resumes ? readState(stateFile) : undefined;
  if (!resumes && existsSync(file))
    throw new CommandError(
      'command-failed',
      `${file} exists; --resume continues an export that was interrupted`,
    );
  if (state === undefined && resumes) {
    if (existsSync(file)) throw new CommandError('command-failed', `${file} is complete, or no export`);
  }
  if (state !== undefined && JSON.stringify(state.query) !== JSON.stringify(query))
    throw new CommandError(
      'command-failed',
      `${file} was begun with other options: ${JSON.stringify(state.query)}`,
    );
  let from = 0;
  let place: string | undefined;
  if (state !== undefined && existsSync(file)) {
    ({ end: from, place } = await lastRecord(file, format));
    // A head alone comes again.
    if (place === undefined) from = 0;
    truncateSync(file, from);
  }
  const { headers, body } = await openStream(
    endpoint,
    '/api/export',
    { ...query, snapshot: state?.snapshot, after: place },
    signal,
  );
  const snapshot = headers.get('logloom-snapshot') ?? '';
  writeFileSync(stateFile, JSON.stringify({ query, snapshot } satisfies Unfinished));
  await using output = await open(file, 'a');
  let bytes = from;
  try {
    for await (const part of body) {
      await output.write(part);
      bytes += part.length;
    }
    await output.sync();
  } catch (cause) {
    throw new CommandError(
      'interrupted',
      `the export was interrupted (${(cause as Error).message}); the same command with --resume continues ${file}`,
    );
  }
  rmSync(stateFile);
  return bytes;
}

function readState(file: string): Unfinished | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Unfinished) : undefined;
}
