import type { Second } from '../result.ts';
import type { Measured } from '../verdict/measured.ts';
import type { Symptom } from './analysis-result.ts';
import { gapS, reasonsOf, spansOf } from './series.ts';

/** Fewer viewers than in the second before, by such a share. */
const droppedShare = 0.05;
/** The last viewers of a stage may connect so long after it. */
const settleS = 3;

/** Viewers whose connection ended, and falls in their number that no stage asked for. */
export function viewersDropped(run: Measured, seconds: readonly Second[]): Omit<Symptom, 'component'>[] {
  const drop = (second: Second): number => {
    const before = seconds[second.atS - 1];
    const fell = before === undefined ? 0 : before.viewers - second.viewers;
    // Of those that came back within the second only the connections tell.
    const back = run.stages.length === 0 ? 0 : resumedIn(run, second);
    return Math.max(second.disconnects, fell, back);
  };
  // Those that the scenario itself cuts come back; two turns may meet in a second.
  const least = Math.max(droppedShare, 2 * (run.scenario.churnShare ?? 0));
  const dropped = seconds.filter((second) => {
    const before = seconds[second.atS - 1]?.viewers ?? 0;
    return before > 0 && drop(second) >= Math.max(1, least * before) && !shrinksBy(run, second.atS);
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
    return {
      kind: 'viewers-dropped',
      ...span,
      amount: most,
      unit: 'viewers',
      usual: before,
      detail: reasonsOf(lost),
    };
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
