import type { Evidence, SymptomKind } from '../analysis-result.ts';
import type { CauseName } from '../cause-names.ts';
import type { EpisodeFacts } from '../episode-facts.ts';

export interface CauseRule {
  cause: CauseName;
  /** The evidence for and against it; none: it is no candidate. */
  weigh: (facts: EpisodeFacts) => Evidence[];
  refutedBy: string;
}

export const sign = (weight: number, text: string): Evidence => ({ kind: 'sign', weight, text });
export const counter = (weight: number, text: string): Evidence => ({
  kind: 'counter-evidence',
  weight: -weight,
  text,
});
export const when = (holds: boolean, evidence: () => Evidence): Evidence[] => (holds ? [evidence()] : []);

/** The heaviest consequence; a slight delay before it may be of another cause. */
function effectOf(facts: EpisodeFacts): number | null {
  const silence = facts.beginning('deliveries-stopped', 'sends-stalled');
  if (silence !== null) return silence;
  return facts.latest?.fromS ?? null;
}

/** A cause begins no later than what it leads to. */
export function order(facts: EpisodeFacts, ...signs: readonly SymptomKind[]): Evidence[] {
  const [cause, effect] = [facts.beginning(...signs), effectOf(facts)];
  if (cause === null || effect === null || effect === cause) return [];
  const apartS = Math.abs(effect - cause);
  return effect > cause
    ? [{ kind: 'time order', weight: 1, text: `it began ${apartS} s before deliveries or sending changed` }]
    : apartS < 2
      ? []
      : [
          {
            kind: 'time order',
            weight: -2,
            text: `it began ${apartS} s after deliveries or sending changed`,
          },
        ];
}

/** What a busy machine does to anyone. */
export function single(facts: EpisodeFacts): Evidence[] {
  const late = facts.of('deliveries-late');
  const isShort = late.length > 0 && late.every(({ fromS, toS }) => toS - fromS === 1);
  return when(isShort, () => counter(2, 'deliveries were late in single seconds only'));
}

/** Whether others had the CPU in most of the seconds in which something waited: then who waited is not to blame. */
export function wasTaken(facts: EpisodeFacts): boolean {
  const waiting = ['deliveries-late', 'server-loop-delayed', 'server-busy', 'generator-limit'] as const;
  return facts.shareOf(waiting, 'machine-busy') >= 0.5;
}

/** The same as evidence against one of those who waited. */
export function taken(facts: EpisodeFacts): Evidence[] {
  return when(wasTaken(facts), () => counter(4, 'other programs had the CPU meanwhile'));
}

/** A delivery waits for an event loop a few times at most. */
const mostWaits = 4;

export function explainsDelay(facts: EpisodeFacts): boolean {
  if (!facts.has('server-loop-delayed') && !facts.has('server-busy')) return false;
  if (facts.shareOfLatest('server-busy') >= 0.5) return true;
  const [delay, late] = [
    facts.highest(({ serverLoopDelayMs }) => serverLoopDelayMs),
    facts.highest(({ p99Ms }) => p99Ms),
  ];
  return delay === null || late === null || late <= mostWaits * delay;
}

export function dose(correlation: number | null, what: string): Evidence[] {
  if (correlation === null) return [];
  const text = `the rank correlation of ${what} with the p99 of deliveries is ${correlation.toFixed(2)}`;
  if (correlation >= 0.6) return [{ kind: 'dose', weight: 1, text }];
  return correlation < 0.2 ? [{ kind: 'dose', weight: -1, text }] : [];
}

export const isStorage = (reason: string): boolean => /disk-full|507|no-room|insufficient/.test(reason);
export const isAnswer = (reason: string): boolean => /^\d{3}\b/.test(reason);

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
