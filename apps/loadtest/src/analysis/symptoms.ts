import type { IncidentKind, Second } from '../result.ts';
import type { Measured } from '../verdict/measured.ts';
import type { Component, Symptom, SymptomKind } from './analysis-result.ts';
import { memoryGrowth } from './memory-growth.ts';
import { gapS, known, quantileOf, reasonsOf, spansOf } from './series.ts';
import { viewersDropped } from './viewers-dropped.ts';

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
  'machine-busy': 'machine',
};

/** What was not as in the calm part of the run, in order of time. */
export function symptomsOf(run: Measured): Symptom[] {
  const seconds = run.timeline.filter(({ atS }) => atS < run.durationS);
  return [
    ...viewersDropped(run, seconds).map((drop) => ({ ...drop, component: componentOf[drop.kind] })),
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
    ...counted(run, 'server-unreadable', ['server-unreadable'], 's'),
    ...counted(run, 'server-restarted', ['server-restarted'], 'starts'),
    ...counted(run, 'server-disk-short', ['server-disk-short'], 's'),
    ...memoryGrowth(run).map((growth) => ({ ...growth, component: componentOf['server-memory-grows'] })),
    ...counted(run, 'generator-limit', ['generator-busy', 'generator-late', 'generator-paused'], 's'),
    ...counted(run, 'machine-busy', ['machine-busy'], 's'),
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
      unit === 's'
        ? new Set(within.map(({ atS }) => atS)).size
        : within.reduce((sum, { count }) => sum + count, 0);
    return symptom(kind, span, amount, unit, 0, reasonsOf(within));
  });
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
    symptom(kind, span, span.toS - span.fromS, 's', 0, `usually ${Math.round(usual)} a second`),
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
