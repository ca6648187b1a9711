import { InvalidValue } from '@logloom/settings';
import { timeZone, type TimeZone } from '../text/time/time-zone.ts';
import { utc } from './parse-timestamp.ts';

/** INGEST_TIME_ZONE. Throws InvalidValue. */
export function readTimeZone(text: string): TimeZone {
  if (text === 'UTC') return utc;
  const zone = timeZone(text);
  if (zone === undefined) throw new InvalidValue('is no time zone');
  return zone;
}
