import type { Interval } from '../verdict/interval.ts';

/** What a comparison says about one metric. */
export interface MetricComparison {
  metric: string;
  title: string;
  unit: string;
  outcome: 'better' | 'worse' | 'same' | 'not-shown';
  baseline: number | null;
  candidate: number | null;
  /** Candidate - baseline in the metric's unit (Hodges and Lehmann; for counts per run), with its interval of 95 %. */
  shift: number | null;
  interval: Interval | null;
  /** Candidate / baseline within rounds, with its interval of 95 %; null where rounds were not compared, or a value is not above zero. */
  ratio: { estimate: number; interval: Interval } | null;
  /** The smallest change that these runs show in 4 of 5 cases, after the correction; null where there is no interval. */
  smallestChange: number | null;
  /** Cliff's delta; of rounds the matched-pairs rank-biserial correlation; null for counts. */
  delta: number | null;
  /** Corrected by Holm. */
  p: number | null;
  /** What was compared: runs in rounds, whole runs, blocks of few runs, or counts of events. */
  by: 'rounds' | 'runs' | 'blocks' | 'events' | null;
  test: 'signed-rank' | 'mann-whitney' | 'binomial' | null;
  /** How many rounds were compared in pairs; null where none were. */
  rounds: number | null;
  reason: string;
}
