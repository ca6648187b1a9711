import { createWriteStream, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ViewersEndpoint } from '../commands/endpoint.ts';
import { openStream } from '../commands/open-stream.ts';
import { givenOf, interrupted, readUnfinished, type Unfinished } from './unfinished.ts';

export interface ExportedParts {
  folder: string;
  /** The parameters of `GET /api/export`. */
  query: Readonly<Record<string, string | undefined>>;
  resumes: boolean;
  signal: AbortSignal;
}

/** How many parts are complete, and where the next begins. */
interface UnfinishedParts extends Unfinished {
  parts: number;
  after?: string;
}

/**
 * Writes what is exported as whole files of Parquet into a folder, `events-00001.parquet` and so on, or continues behind the last whole one.
 * Returns their number. Throws CommandError: `interrupted` if it ended early, `command-failed` if the folder does not fit.
 */
export async function exportParts(
  endpoint: ViewersEndpoint,
  { folder, query, resumes, signal }: ExportedParts,
): Promise<number> {
  const stateFile = join(folder, '.unfinished');
  const given = givenOf(query);
  const found = readUnfinished<UnfinishedParts>({ path: folder, stateFile, query: given, resumes });
  mkdirSync(folder, { recursive: true });
  let state: UnfinishedParts = found ?? { query: given, parts: 0 };
  writeFileSync(stateFile, JSON.stringify(state));
  for (;;) {
    const { snapshot, after } = state;
    const { headers, body } = await openStream(
      endpoint,
      '/api/export',
      { ...given, snapshot, after },
      signal,
    );
    const parts = state.parts + 1;
    const file = join(folder, `events-${String(parts).padStart(5, '0')}.parquet`);
    try {
      await pipeline(Readable.from(body), createWriteStream(`${file}.part`, { flush: true }));
    } catch (cause) {
      throw interrupted(folder, cause);
    }
    renameSync(`${file}.part`, file);
    const next = headers.get('logloom-after');
    if (next === null) {
      rmSync(stateFile);
      return parts;
    }
    state = { query: given, parts, snapshot: headers.get('logloom-snapshot') ?? '', after: next };
    writeFileSync(stateFile, JSON.stringify(state));
  }
}
