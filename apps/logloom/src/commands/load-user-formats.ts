import type { UserFormats } from '@logloom/ingest/formats';
import { CommandError } from './command-errors.ts';

/** The formats of a file; undefined without one. Throws CommandError with every problem of the file. */
export async function loadUserFormats(path: string | undefined): Promise<UserFormats | undefined> {
  if (path === undefined) return undefined;
  const { formatProblems, loadFormats } = await import('@logloom/ingest/formats');
  const loaded = loadFormats(path);
  if (loaded.ok) return loaded.formats;
  throw new CommandError('command-failed', formatProblems(path, loaded).join('\n'));
}
