import { InvalidValue } from '@logloom/settings';
import { timeZone, type TimeZone } from '../text/time/time-zone.ts';
import { utc } from './parse-timestamp.ts';

/** INGEST_TIME_ZONE, by name: settings are sent to threads, which cannot be done with functions. Throws InvalidValue. */
export function readTimeZone(text: string): string {
  if (timeZone(text) === undefined) throw new InvalidValue('is no time zone');
  return text;
}

/** The zone of a name that readTimeZone() has let through. */
export function zoneNamed(name: string): TimeZone {
  return (name === 'UTC' ? undefined : timeZone(name)) ?? utc;
}
