import { existsSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { openStream } from '../commands/open-stream.ts';
import type { ViewersEndpoint } from '../commands/endpoint.ts';
import { lastRecord } from './last-record.ts';
import { givenOf, interrupted, readUnfinished, type Unfinished } from './unfinished.ts';

export interface ExportedFile {
  file: string;
  format: 'ndjson' | 'csv';
  /** The parameters of `GET /api/export`. */
  query: Readonly<Record<string, string | undefined>>;
  resumes: boolean;
  signal: AbortSignal;
}

/**
 * Writes what is exported into a file, or continues one exactly where its last whole record ends. Returns the bytes that it has then.
 * Throws CommandError: `interrupted` if it ended early, `command-failed` if the file does not fit.
 */
export async function exportFile(endpoint: ViewersEndpoint, exported: ExportedFile): Promise<number> {
  const { file, format, resumes, signal } = exported;
  const stateFile = `${file}.unfinished`;
  const query = givenOf(exported.query);
  const state = readUnfinished({ path: file, stateFile, query, resumes });
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
    throw interrupted(file, cause);
  }
  rmSync(stateFile);
  return bytes;
}
