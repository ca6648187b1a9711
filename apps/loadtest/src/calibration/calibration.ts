import { analyse } from '../analysis/analyse.ts';
import type { CalibrationFigure } from '../analysis/analysis-result.ts';
import { causeNames, type CauseName } from '../analysis/cause-names.ts';
import { wilsonInterval } from '../verdict/interval.ts';
import { injections } from './injection-causes.ts';
import type { KnownRun } from './known-run.ts';

/** What the runs with a known cause say about the rules; calibration.json holds it. */
export interface Calibration {
  format: 1;
  /** Those that count: the generator was not the limit, but where that was the injection. */
  runs: number;
  causes: Partial<Record<CauseName, CalibrationFigure>>;
  /** How many runs of each injection led to what; `nothing` where there was nothing to explain. */
  leads: { injection: string; lead: CauseName | 'unknown' | 'nothing'; runs: number }[];
}

/** A generator that is at its limit, or waits for a busy machine, in so large a share of the seconds outside the fault measures itself. */
const voidShare = 0.25;
/** Around a fault the generator may have to catch up. */
const beforeS = 1;
const afterS = 6;

/** Whether the generator or its machine was the limit of a run for another reason than the injection. */
export function isVoid({ fault, run }: KnownRun): boolean {
  const isOutside = (atS: number): boolean =>
    atS > 0 &&
    atS < run.durationS &&
    (fault === null || atS < fault.fromS - beforeS || atS > fault.toS + afterS);
  const kinds = ['generator-busy', 'generator-late', 'generator-paused', 'machine-busy'];
  const limited = run.incidents.filter(({ kind, atS }) => kinds.includes(kind) && isOutside(atS));
  const outside = run.timeline.filter(({ atS }) => isOutside(atS)).length;
  return new Set(limited.map(({ atS }) => atS)).size >= voidShare * outside;
}

/** How often each rule was right when it led. */
export function calibrate(known: readonly KnownRun[]): Calibration {
  const counting = known.filter((run) => !isVoid(run));
  const led = new Map<CauseName, { led: number; right: number }>();
  const leads = new Map<string, Calibration['leads'][number]>();
  for (const { injection, run } of counting) {
    const lead = analyse(run, {}).lead?.cause ?? 'nothing';
    const key = `${injection}\n${lead}`;
    leads.set(key, { injection, lead, runs: (leads.get(key)?.runs ?? 0) + 1 });
    if (lead === 'unknown' || lead === 'nothing') continue;
    const figure = led.get(lead) ?? { led: 0, right: 0 };
    figure.led++;
    if (injections[injection] === lead) figure.right++;
    led.set(lead, figure);
  }
  const causes = Object.fromEntries(
    (Object.keys(causeNames) as CauseName[]).flatMap((cause) => {
      const figure = led.get(cause);
      if (figure === undefined) return [];
      return [[cause, { ...figure, interval: wilsonInterval(figure.right, figure.led) }]];
    }),
  );
  return {
    format: 1,
    runs: counting.length,
    causes,
    leads: [...leads.values()].sort(
      (a, b) => a.injection.localeCompare(b.injection) || b.runs - a.runs || a.lead.localeCompare(b.lead),
    ),
  };
}
