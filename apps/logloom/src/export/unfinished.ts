import { existsSync, readFileSync } from 'node:fs';
import { CommandError } from '../commands/command-errors.ts';

/** What an export that is not complete needs to be continued, in a file beside or in it. */
export interface Unfinished {
  /** The parameters with which it was begun. */
  query: Record<string, string>;
  snapshot?: string;
}

export interface ExportTarget {
  /** A file or a folder. */
  path: string;
  stateFile: string;
  /** The parameters of `GET /api/export`. */
  query: Readonly<Record<string, string>>;
  resumes: boolean;
}

/** The parameters that are given. */
export function givenOf(query: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** Where an export is to be continued; undefined: it is a new one. Throws CommandError `command-failed` if what is there does not fit. */
export function readUnfinished<State extends Unfinished>({
  path,
  stateFile,
  query,
  resumes,
}: ExportTarget): State | undefined {
  const state =
    resumes && existsSync(stateFile) ? (JSON.parse(readFileSync(stateFile, 'utf8')) as State) : undefined;
  if (state === undefined && existsSync(path))
    throw new CommandError(
      'command-failed',
      resumes
        ? `${path} is complete, or no export`
        : `${path} exists; --resume continues an export that was interrupted`,
    );
  if (state !== undefined && JSON.stringify(state.query) !== JSON.stringify(query))
    throw new CommandError(
      'command-failed',
      `${path} was begun with other options: ${JSON.stringify(state.query)}`,
    );
  return state;
}

/** The error of an export whose response ended early. */
export function interrupted(path: string, cause: unknown): CommandError {
  return new CommandError(
    'interrupted',
    `the export was interrupted (${(cause as Error).message}); the same command with --resume continues ${path}`,
  );
}
