import { parseMicros } from '@logloom/schemas';
import { processZone, zoneAbbreviation, type TimeZone } from '../text/time/time-zone.ts';

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const day = 86_400_000;

// Group names: y year in front, M month, d day, y2 year behind the day, t clock, f fraction, y3 year behind, z zone.
const classic =
  /^(?:(?<y>\d{4}) )?(?<M>[A-Za-z]{3})\.? {1,2}(?<d>\d{1,2}),?(?: (?<y2>\d{4}))? (?<t>\d{2}:\d{2}:\d{2})(?:[.,](?<f>\d{1,9}))?(?: (?<y3>(?:19|20)\d{2})(?= |:[ %]|:?$))?(?: (?<z>(?:UTC|GMT|Z)(?= |:|$)|[A-Z]{3,5}(?=: )))?/;
const iso =
  /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?) ?(Z|z|UTC|[+-]\d{2}:?\d{2})?(?= |:|\]|,|$)/;

/** A time at the beginning of a text. */
export interface LeadingTime {
  /** Microseconds since 1970; NaN where the text looks like a time and is none, such as the 31st of June. */
  micros: number;
  /** How many characters of the text it takes. */
  length: number;
}

/**
 * Reads the time that a line begins with: `Oct 11 22:14:15` with or without a year, fraction and zone, or ISO 8601. A time without a
 * zone is in `timeZone`. Without a year it is the one that brings the time closest to `receivedAtMs` (ms) and not more
 * than a day ahead of it. Undefined when the text does not begin with a time.
 */
export function leadingTime(
  text: string,
  receivedAtMs: number,
  timeZone: TimeZone = processZone,
): LeadingTime | undefined {
  const isoMatch = iso.exec(text);
  if (isoMatch !== null) {
    const [whole, date, clock, zone] = isoMatch;
    return { micros: zonedMicros(date!, clock!, zone, timeZone), length: whole.length };
  }
  const groups = classic.exec(text);
  if (groups?.groups === undefined) return undefined;
  const { y, M, d, y2, t, f, y3, z } = groups.groups;
  const month = months.indexOf(M!.toLowerCase()) + 1;
  if (month === 0) return undefined;
  const year = y ?? y2 ?? y3;
  // A name of an unknown zone stays in front of what follows.
  const minutes = z === undefined ? undefined : zoneAbbreviation(z);
  const isUnknown = z !== undefined && minutes === undefined;
  const at = (inYear: number): number => {
    const date = `${inYear}-${String(month).padStart(2, '0')}-${d!.padStart(2, '0')}`;
    const micros = zonedMicros(
      date,
      f === undefined ? t! : `${t}.${f}`,
      minutes === undefined ? undefined : 'Z',
      timeZone,
    );
    return micros - (minutes ?? 0) * 60_000_000;
  };
  const micros = year === undefined ? inLikelyYear(at, receivedAtMs) : at(Number(year));
  return { micros, length: groups[0].length - (isUnknown ? z.length + 1 : 0) };
}

/** Microseconds since 1970 of a date and a clock; without a zone of their own in `timeZone`. NaN when there is no such time. */
function zonedMicros(date: string, clock: string, zone: string | undefined, timeZone: TimeZone): number {
  const utc = parseMicros(`${date}T${clock}${zone ?? 'Z'}`);
  return zone !== undefined || Number.isNaN(utc) ? utc : timeZone.toUtcMicros(utc);
}

function inLikelyYear(at: (year: number) => number, receivedAtMs: number): number {
  const year = new Date(receivedAtMs).getFullYear();
  // A clock that is ahead writes January while it is still December here; a leap day may be years ago.
  for (const candidate of [year + 1, year, year - 1, year - 2, year - 3]) {
    const micros = at(candidate);
    if (micros <= (receivedAtMs + day) * 1000) return micros;
  }
  return at(year);
}
