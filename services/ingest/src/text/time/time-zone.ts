/** How wall-clock times become instants. */
export interface TimeZone {
  /** Microseconds since 1970 of a wall-clock time that was read as UTC. */
  toUtcMicros: (wallMicros: number) => number;
}

/** Minutes east of UTC. Abbreviations that name several zones have the meaning that log files of their best known one have. */
const abbreviations: Readonly<Record<string, number>> = {
  UTC: 0,
  GMT: 0,
  Z: 0,
  WET: 0,
  WEST: 60,
  BST: 60,
  CET: 60,
  MEZ: 60,
  CEST: 120,
  MESZ: 120,
  EET: 120,
  SAST: 120,
  EEST: 180,
  MSK: 180,
  IST: 330,
  HKT: 480,
  SGT: 480,
  AWST: 480,
  JST: 540,
  KST: 540,
  ACST: 570,
  AEST: 600,
  ACDT: 630,
  AEDT: 660,
  NZST: 720,
  NZDT: 780,
  BRT: -180,
  ART: -180,
  ADT: -180,
  AST: -240,
  EDT: -240,
  EST: -300,
  CDT: -300,
  CST: -360,
  MDT: -360,
  MST: -420,
  PDT: -420,
  PST: -480,
  AKDT: -480,
  AKST: -540,
  HST: -600,
};

/** Minutes east of UTC of an abbreviation such as CEST; undefined for any other word. */
export function zoneAbbreviation(name: string): number | undefined {
  return Object.hasOwn(abbreviations, name) ? abbreviations[name] : undefined;
}

const quarterMs = 900_000;

/** A zone whose rules are asked once for each quarter of an hour: reading them is slow, and they change on quarters at the most. */
class RuledZone implements TimeZone {
  readonly #minutesAt: (wallMillis: number) => number;
  #quarter = Number.NaN;
  #minutes = 0;

  /** `minutesAt` returns the minutes to add to a wall-clock time that was read as UTC, in milliseconds. */
  constructor(minutesAt: (wallMillis: number) => number) {
    this.#minutesAt = minutesAt;
  }

  toUtcMicros(wallMicros: number): number {
    const quarter = Math.floor(wallMicros / 1000 / quarterMs);
    if (quarter !== this.#quarter) {
      this.#minutes = this.#minutesAt(quarter * quarterMs);
      this.#quarter = quarter;
    }
    return wallMicros + this.#minutes * 60_000_000;
  }
}

/** The zone of this process (TZ). */
export const processZone: TimeZone = new RuledZone((wallMillis) => {
  const wall = new Date(wallMillis);
  const [year, month, day] = [wall.getUTCFullYear(), wall.getUTCMonth(), wall.getUTCDate()];
  return new Date(year, month, day, wall.getUTCHours(), wall.getUTCMinutes()).getTimezoneOffset();
});

const zones = new Map<string, TimeZone | undefined>();
const maxRemembered = 1000;

/** Returns the zone of `Europe/Berlin`, `+02:00`, `CEST` or `UTC`; without a name that of this process. Undefined for no zone's name. */
export function timeZone(name?: string): TimeZone | undefined {
  if (name === undefined) return processZone;
  if (zones.has(name)) return zones.get(name);
  const zone = makeZone(name);
  if (zones.size < maxRemembered) zones.set(name, zone);
  return zone;
}

function makeZone(name: string): TimeZone | undefined {
  const fixed = zoneAbbreviation(name.toUpperCase()) ?? offsetMinutes(name);
  if (fixed !== undefined) return { toUtcMicros: (wallMicros) => wallMicros - fixed * 60_000_000 };
  return ianaZone(name);
}

/** Minutes east of UTC of `+02:00`, `+0200` or `+02`. */
export function offsetMinutes(text: string): number | undefined {
  const match = /^([+-])(\d{2}):?(\d{2})?$/.exec(text);
  if (match === null) return undefined;
  const minutes = Number(match[2]) * 60 + Number(match[3] ?? 0);
  return minutes > 18 * 60 ? undefined : match[1] === '-' ? -minutes : minutes;
}

function ianaZone(name: string): TimeZone | undefined {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
  } catch {
    return undefined;
  }
  const eastAt = (millis: number): number => {
    const parts = format.formatToParts(millis);
    const of = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
    return (
      (Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute')) -
        Math.floor(millis / 60_000) * 60_000) /
      60_000
    );
  };
  // The offset at the wall's time read as UTC is that at the instant, but near a change; the second look settles it.
  return new RuledZone((wallMillis) => -eastAt(wallMillis - eastAt(wallMillis) * 60_000));
}
