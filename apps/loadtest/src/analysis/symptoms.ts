import type { Incident, IncidentKind, Second } from '../result.ts';
import type { Measured } from '../verdict/measured.ts';
import type { Component, Symptom, SymptomKind } from './analysis-result.ts';
import { memoryGrowth } from './memory-growth.ts';
import { known, quantileOf, spansOf } from './series.ts';

/** A calm second in between does not end a symptom. */
const gapS = 2;
/** The calm part of a run is at least so much of it; what is usual is read there. */
const calmShare = 0.25;
/** A reading is an excursion from so many times what is usual, and so much above it. */
const excursionTimes = 3;
/** And beyond so many times the distance from what is usual to the median: in a run that is never calm less says nothing. */
const excursionSpreads = 6;
const lateByMs = 100;
const loopDelayByMs = 80;
/** Share of the time in which an event loop is busy from which it has no room for a burst. */
const busyLoop = 0.9;
/** Fewer viewers than in the second before, by such a share. */
const droppedShare = 0.05;
/** The last viewers of a stage may connect so long after it. */
const settleS = 3;
/** A process that starts compiles its code. */
const warmUpS = 5;

export const componentOf: Readonly<Record<SymptomKind, Component>> = {
  'viewers-dropped': 'viewers',
  'connect-failures': 'viewers',
  'sends-failed': 'ingest',
  'sends-stalled': 'ingest',
  'deliveries-stopped': 'live',
  'deliveries-late': 'live',
  'deliveries-announced': 'live',
  'deliveries-wrong': 'live',
  'server-loop-delayed': 'server',
  'server-busy': 'server',
  'server-unreadable': 'server',
  'server-restarted': 'server',
  'server-disk-short': 'server',
  'server-memory-grows': 'server',
  'generator-limit': 'generator',
};

/** What was not as in the calm part of the run, in order of time. */
export function symptomsOf(run: Measured): Symptom[] {
  const seconds = run.timeline.filter(({ atS }) => atS < run.durationS);
  return [
    ...viewersDropped(run, seconds),
    ...counted(run, 'connect-failures', ['connect-failed'], 'connections'),
    ...counted(run, 'sends-failed', ['send-failed'], 'requests'),
    ...stalled(
      seconds,
      'sends-stalled',
      ({ acknowledged }) => acknowledged,
      ({ due }) => due,
    ),
    ...stalled(
      seconds,
      'deliveries-stopped',
      ({ deliveries }) => deliveries,
      ({ due, viewers }) => (viewers > 0 ? due : 0),
    ),
    ...excursions(seconds, 'deliveries-late', ({ p99Ms }) => p99Ms, lateByMs, 'ms'),
    ...counted(run, 'deliveries-announced', ['announced'], 'deliveries'),
    ...counted(
      run,
      'deliveries-wrong',
      ['duplicated', 'disordered', 'corrupted', 'unexpected'],
      'deliveries',
    ),
    ...excursions(seconds, 'server-loop-delayed', (second) => second.serverLoopDelayMs, loopDelayByMs, 'ms'),
    ...busy(seconds),
    ...counted(run, 'server-unreadable', ['server-unreadable'], 'seconds'),
    ...counted(run, 'server-restarted', ['server-restarted'], 'starts'),
    ...counted(run, 'server-disk-short', ['server-disk-short'], 'seconds'),
    ...memoryGrowth(run).map((growth) => ({ ...growth, component: componentOf['server-memory-grows'] })),
    ...counted(run, 'generator-limit', ['generator-busy', 'generator-late', 'generator-paused'], 'seconds'),
  ].sort((a, b) => a.fromS - b.fromS || a.kind.localeCompare(b.kind));
}

function counted(run: Measured, kind: SymptomKind, of: readonly IncidentKind[], unit: string): Symptom[] {
  const incidents = run.incidents.filter(
    (incident) => of.includes(incident.kind) && incident.atS < run.durationS && incident.atS > 0,
  );
  return spansOf(
    incidents.map(({ atS }) => atS),
    gapS,
  ).map((span) => {
    const within = incidents.filter(({ atS }) => atS >= span.fromS && atS < span.toS);
    const amount =
      unit === 'seconds'
        ? new Set(within.map(({ atS }) => atS)).size
        : within.reduce((sum, { count }) => sum + count, 0);
    return symptom(kind, span, amount, unit, 0, reasonsOf(within));
  });
}

/** Most frequent first. */
function reasonsOf(incidents: readonly Incident[]): string {
  const counts = new Map<string, number>();
  for (const { reason, count } of incidents) counts.set(reason, (counts.get(reason) ?? 0) + count);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, 3)
    .map(([reason, count]) => `${reason} (${count})`)
    .join(', ');
}

/** Viewers whose connection ended, and falls in their number that no stage asked for. */
function viewersDropped(run: Measured, seconds: readonly Second[]): Symptom[] {
  const drop = (second: Second): number => {
    const before = seconds[second.atS - 1];
    const fell = before === undefined ? 0 : before.viewers - second.viewers;
    // Of those that came back within the second only the connections tell.
    const back = run.stages.length === 0 ? 0 : resumedIn(run, second);
    return Math.max(second.disconnects, fell, back);
  };
  const dropped = seconds.filter((second) => {
    const before = seconds[second.atS - 1]?.viewers ?? 0;
    return before > 0 && drop(second) >= Math.max(1, droppedShare * before) && !shrinksBy(run, second.atS);
  });
  return spansOf(
    dropped.map(({ atS }) => atS),
    gapS,
  ).map((span) => {
    const within = seconds.slice(span.fromS, span.toS);
    const before = seconds[span.fromS - 1]!.viewers;
    const lost = run.incidents.filter(
      ({ kind, atS }) => kind === 'connection-lost' && atS >= span.fromS && atS < span.toS,
    );
    const lowest = Math.min(...within.map(({ viewers }) => viewers));
    const most = Math.max(before - lowest, ...within.map(drop));
    return symptom('viewers-dropped', span, most, 'viewers', before, reasonsOf(lost));
  });
}

/** Connections made in a stage that asks for no more viewers than before, once those of the stage before are made. */
function resumedIn({ stages }: Measured, { atS, connects }: Second): number {
  const stage = stages.find(({ fromS, toS }) => atS >= fromS + settleS && atS < toS);
  return stage !== undefined && stage.viewers.atStart === stage.viewers.atEnd ? connects : 0;
}

/** Whether the scenario itself takes viewers away then. */
function shrinksBy({ stages }: Measured, atS: number): boolean {
  const at = stages.findIndex(({ fromS, toS }) => atS >= fromS && atS < toS);
  const [now, next] = [stages[at], stages[at + 1]];
  if (now === undefined) return false;
  // Where the next stage begins with fewer, and nobody came back, the scenario wanted it.
  return (
    now.viewers.atEnd < now.viewers.atStart &&
    (next === undefined || next.viewers.atStart <= now.viewers.atEnd)
  );
}

/** Seconds in which nothing came though it was due, and usually comes. */
function stalled(
  seconds: readonly Second[],
  kind: SymptomKind,
  done: (second: Second) => number,
  due: (second: Second) => number,
): Symptom[] {
  const usual = quantileOf(seconds.filter((second) => due(second) > 0).map(done), 0.5);
  if (!(usual >= 5)) return [];
  const silent = seconds.filter((second) => second.atS >= warmUpS && due(second) > 0 && done(second) === 0);
  return spansOf(
    silent.map(({ atS }) => atS),
    gapS,
  ).map((span) =>
    symptom(kind, span, span.toS - span.fromS, 'seconds', 0, `usually ${Math.round(usual)} a second`),
  );
}

/** What is usual for a reading in the calm part of the run. */
export function usualOf(seconds: readonly Second[], read: (second: Second) => number | null): number {
  return quantileOf(known(seconds.slice(warmUpS), read), calmShare);
}

function excursions(
  seconds: readonly Second[],
  kind: SymptomKind,
  read: (second: Second) => number | null,
  atLeastMs: number,
  unit: string,
): Symptom[] {
  const usual = usualOf(seconds, read);
  const spread = quantileOf(known(seconds.slice(warmUpS), read), 0.5) - usual;
  const from = Math.max(excursionTimes * usual, usual + atLeastMs, usual + excursionSpreads * spread);
  const high = seconds.filter((second) => second.atS >= warmUpS && (read(second) ?? 0) > from);
  return spansOf(
    high.map(({ atS }) => atS),
    gapS,
  ).map((span) => {
    const highest = Math.max(...known(seconds.slice(span.fromS, span.toS), read));
    return symptom(kind, span, highest, unit, usual, `usually ${Math.round(usual)} ${unit}`);
  });
}

function busy(seconds: readonly Second[]): Symptom[] {
  const usual = usualOf(seconds, ({ serverLoopShare }) => serverLoopShare);
  const full = seconds.filter(
    ({ atS, serverLoopShare }) => atS >= warmUpS && (serverLoopShare ?? 0) > busyLoop,
  );
  return spansOf(
    full.map(({ atS }) => atS),
    gapS,
  ).map((span) => {
    const share = Math.max(...known(seconds.slice(span.fromS, span.toS), (second) => second.serverLoopShare));
    return symptom('server-busy', span, share * 100, '%', usual * 100, 'of the time of an event loop');
  });
}

function symptom(
  kind: SymptomKind,
  { fromS, toS }: { fromS: number; toS: number },
  amount: number,
  unit: string,
  usual: number,
  detail: string,
): Symptom {
  return { kind, component: componentOf[kind], fromS, toS, amount, unit, usual, detail };
}
