import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CommandError } from '../commands/command-errors.ts';
import type { ViewersEndpoint } from '../commands/endpoint.ts';
import { openStream } from '../commands/open-stream.ts';

export interface ExportedParts {
  folder: string;
  /** The parameters of `GET /api/export`. */
  query: Readonly<Record<string, string | undefined>>;
  resumes: boolean;
  signal: AbortSignal;
}

/** What a folder whose last part is missing needs to be continued. */
interface Unfinished {
  query: Record<string, string>;
  /** How many parts are complete, and where the next begins. */
  parts: number;
  snapshot?: string;
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
  const given = Object.fromEntries(
    Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const isThere = existsSync(folder);
  const found =
    resumes && existsSync(stateFile)
      ? (JSON.parse(readFileSync(stateFile, 'utf8')) as Unfinished)
      : undefined;
  if (isThere && found === undefined)
    throw new CommandError(
      'command-failed',
      resumes
        ? `${folder} is complete, or no export`
        : `${folder} exists; --resume continues an export that was interrupted`,
    );
  if (found !== undefined && JSON.stringify(found.query) !== JSON.stringify(given))
    throw new CommandError(
      'command-failed',
      `${folder} was begun with other options: ${JSON.stringify(found.query)}`,
    );
  mkdirSync(folder, { recursive: true });
  let state: Unfinished = found ?? { query: given, parts: 0 };
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
      throw new CommandError(
        'interrupted',
        `the export was interrupted (${(cause as Error).message}); the same command with --resume continues ${folder}`,
      );
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
