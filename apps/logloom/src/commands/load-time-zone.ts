import type { TimeZone } from '@logloom/ingest/time-zone';
import { CommandError } from './command-errors.ts';

/** The zone of --timezone; without it that of this process. Throws CommandError for a name that is none. */
export async function loadTimeZone(name: string | undefined): Promise<TimeZone> {
  const { timeZone } = await import('@logloom/ingest/time-zone');
  const zone = timeZone(name);
  if (zone !== undefined) return zone;
  throw new CommandError('command-failed', `--timezone: ${name} is no time zone`);
}
