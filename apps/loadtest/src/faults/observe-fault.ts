import { tenthOf, type Tenth } from './tenths.ts';

/** What was read during a run, from its start on. */
export interface Readings {
  viewers: readonly Tenth[];
  sender: readonly Tenth[];
  /** Answers of the target's readiness, in order; empty: nobody asked. */
  readiness: readonly { atS: number; isReady: boolean }[];
  /** The end of the scenario: later nobody says which viewers should watch. */
  untilS: number;
  /** Events due between two moments. */
  due: (fromS: number, toS: number) => number;
  /** Viewers that may be absent for the scenario's own reasons: they connect for the first time, or come and go. */
  mayBeAbsent: (atS: number) => number;
}

/** When a fault was seen and was over, in seconds since the start of the run; null: never. */
export interface Observation {
  detectedS: number | null;
  /** The reading that departed first. */
  detectedBy: string | null;
  /** Since when users had less than before: events, viewers, acknowledgements. */
  degradedS: number | null;
  recoveredS: number | null;
}

/** A run is compared with what it was for so long before the fault. */
const beforeS = 5;
/** A process that begins compiles its code: its first second is not what is usual. */
const warmUpS = 1;
const leastBeforeS = 1;
/** It has recovered when everything is as before for so long. */
const steadyTenths = 10;
/** What departs later is not the fault's. */
const detectionS = 30;
const slackMs = 50;
const slackTenths = 3;
const longestSilence = 600;

type Departure = Omit<Observation, 'recoveredS'> & { detectedS: number };

interface Bounds {
  absent: number;
  viewers: SeriesBounds;
  sender: SeriesBounds;
}

interface SeriesBounds {
  failed: number;
  worstMs: number;
  /** Tenths without an arrival; Infinity: nothing arrived before. */
  silent: number;
}

/** Says of each fault, in the order of their starts, when it was seen and when it was over. */
export function observeFaults(
  faults: readonly { startedS: number; endedS: number }[],
  readings: Readings,
): Observation[] {
  let bounds: Bounds | undefined;
  // What was before a fault counts from the recovery of the fault before.
  let steadySinceS = warmUpS;
  return faults.map(({ startedS, endedS }, i) => {
    const from = Math.max(steadySinceS, startedS - beforeS);
    if (startedS - from >= leastBeforeS) bounds = boundsOf(readings, tenthOf(from), tenthOf(startedS));
    const never = { detectedS: null, detectedBy: null, degradedS: null, recoveredS: null };
    if (bounds === undefined) return never;
    const next = faults.slice(i + 1).find((other) => other.startedS > startedS)?.startedS ?? Infinity;
    const seen = departure(readings, bounds, startedS, Math.min(Math.max(endedS, next), endedS + detectionS));
    if (seen === undefined) {
      steadySinceS = endedS;
      return never;
    }
    const recoveredS = recovery(readings, bounds, Math.max(endedS, seen.detectedS));
    steadySinceS = recoveredS ?? Infinity;
    // Whoever notices first that it is not ready may notice before the next fault, and users only after it has begun.
    const degradedS =
      seen.degradedS ?? departure(readings, bounds, startedS, recoveredS ?? Infinity)?.degradedS ?? null;
    return { ...seen, degradedS, recoveredS };
  });
}

function departure(readings: Readings, bounds: Bounds, fromS: number, toS: number): Departure | undefined {
  let seen: Departure | undefined;
  const notReady = readings.readiness.find(({ atS, isReady }) => atS >= fromS && atS < toS && !isReady);
  const end = Math.min(readings.viewers.length, tenthOf(Math.min(toS, readings.untilS)));
  for (let tenth = tenthOf(fromS); tenth < end; tenth++) {
    const what = departures(readings, bounds, tenth).find(({ name }) => name !== 'readiness');
    if (what === undefined) continue;
    // It is known when the tenth is over.
    const detectedS = (tenth + 1) / 10;
    const degradedS = Math.max(fromS, (tenth - what.sinceTenths) / 10);
    seen = { detectedS, detectedBy: what.name, degradedS };
    break;
  }
  if (notReady === undefined || (seen !== undefined && seen.detectedS <= notReady.atS)) return seen;
  return { detectedS: notReady.atS, detectedBy: 'readiness', degradedS: seen?.degradedS ?? null };
}

/** The first moment from which all is as before for a second, and something arrives. */
function recovery(readings: Readings, bounds: Bounds, fromS: number): number | null {
  const first = Math.ceil(fromS * 10 - 1e-6);
  let steady = 0;
  let arrived = 0;
  const end = Math.min(readings.viewers.length, tenthOf(readings.untilS));
  for (let tenth = first; tenth < end; tenth++) {
    if (departures(readings, bounds, tenth).length > 0) {
      steady = arrived = 0;
      continue;
    }
    steady++;
    arrived += readings.viewers[tenth]!.arrived;
    const isAlive = arrived > 0 || bounds.viewers.silent === Infinity;
    if (steady >= steadyTenths && isAlive) return Math.max(fromS, (tenth + 1 - steady) / 10);
  }
  return null;
}

/** What is not as before in that tenth. */
function departures(
  readings: Readings,
  bounds: Bounds,
  tenth: number,
): { name: string; sinceTenths: number }[] {
  const found: { name: string; sinceTenths: number }[] = [];
  const add = (isSo: boolean, name: string, sinceTenths = 0): void => {
    if (isSo) found.push({ name, sinceTenths });
  };
  const { absent = 0 } = readings.viewers[tenth] ?? {};
  add(absent > bounds.absent + readings.mayBeAbsent(tenth / 10), 'viewers without a connection');
  for (const [series, names] of [
    ['viewers', ['failed connections', 'late deliveries', 'no deliveries']],
    ['sender', ['failed requests to ingest', 'late acknowledgements', 'no acknowledgements']],
  ] as const) {
    const of = readings[series];
    const { failed, worstMs, silent } = bounds[series];
    add((of[tenth]?.failed ?? 0) > failed, names[0]);
    // What comes late was missing from when it was due.
    const latestMs = of[tenth]?.worstMs ?? 0;
    add(latestMs > worstMs, names[1], Math.floor(latestMs / 100));
    const silence = silenceAt(of, tenth);
    const isSilent = silence > silent && readings.due((tenth + 1 - silence) / 10, tenth / 10) >= 1;
    add(isSilent, names[2], silence - 1);
  }
  const asked = readings.readiness.findLast(({ atS }) => atS * 10 < tenth + 1);
  add(asked?.isReady === false, 'readiness');
  return found;
}

function boundsOf(readings: Readings, from: number, to: number): Bounds {
  const most = (of: readonly Tenth[], key: 'absent' | 'failed' | 'worstMs'): number =>
    of.slice(from, to).reduce((highest, tenth) => Math.max(highest, tenth[key]), 0);
  const series = (of: readonly Tenth[]): SeriesBounds => {
    const before = of.slice(from, to);
    const isSilent = before.every(({ arrived }) => arrived === 0);
    const longest = before.reduce((most, _, i) => Math.max(most, silenceAt(before, i)), 0);
    return {
      failed: most(of, 'failed'),
      worstMs: 2 * most(of, 'worstMs') + slackMs,
      silent: isSilent ? Infinity : 2 * longest + slackTenths,
    };
  };
  return {
    absent: most(readings.viewers, 'absent'),
    viewers: series(readings.viewers),
    sender: series(readings.sender),
  };
}

/** How many tenths, up to and with this one, nothing has arrived. */
function silenceAt(of: readonly Tenth[], tenth: number): number {
  let silence = 0;
  while (silence <= tenth && silence < longestSilence && (of[tenth - silence]?.arrived ?? 0) === 0) silence++;
  return silence;
}
