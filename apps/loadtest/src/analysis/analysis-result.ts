import type { CauseName } from './cause-names.ts';

/** What a run's failures say about each other and about their cause. Times are in seconds since the start of the run. */
export interface Analysis {
  symptoms: Symptom[];
  /** In order of time. */
  episodes: Episode[];
  /** Where failed and lost connections came from. */
  addresses: AddressShare[];
  /** Every pair of symptoms that could be tested, the least likely by chance first. */
  sequences: Sequence[];
  /** The run as a whole: the leading candidate of its heaviest episode. Null: there is nothing to explain. */
  lead: Lead | null;
  saturation: Saturation;
}

export type SymptomKind =
  | 'viewers-dropped'
  | 'connect-failures'
  | 'sends-failed'
  | 'sends-stalled'
  | 'deliveries-stopped'
  | 'deliveries-late'
  | 'deliveries-announced'
  | 'deliveries-wrong'
  | 'server-loop-delayed'
  | 'server-busy'
  | 'server-unreadable'
  | 'server-restarted'
  | 'server-disk-short'
  | 'server-memory-grows'
  | 'generator-limit'
  | 'machine-busy';

export type Component = 'viewers' | 'ingest' | 'live' | 'server' | 'generator' | 'machine';

/** Seconds in a row, or nearly, in which something was not as in the calm part of the run. */
export interface Symptom {
  kind: SymptomKind;
  component: Component;
  fromS: number;
  /** The first second after it. */
  toS: number;
  /** How much of it there was, in `unit`: a number of failures, or the highest reading. */
  amount: number;
  unit: string;
  /** What is usual in this run, in `unit`. */
  usual: number;
  detail: string;
}

/** Symptoms with no more than a few seconds between them. */
export interface Episode {
  fromS: number;
  toS: number;
  /** Positions in `symptoms`. */
  symptoms: number[];
  components: Component[];
  /** Which symptom may have led to which. */
  cascade: Link[];
  /** The best first. */
  candidates: Candidate[];
  lead: Lead;
}

/** `from` began before `to`; positions in `symptoms`. */
export interface Link {
  from: number;
  to: number;
  afterS: number;
  /** Whether such a sequence is more often than chance in this run; false: only the order of time says so. */
  beyondChance: boolean;
}

export interface Candidate {
  cause: CauseName;
  /** Sum of the weights of its evidence. It ranks candidates, and is no probability. */
  score: number;
  evidence: Evidence[];
  /** What would show that it is not the cause. */
  refutedBy: string;
}

export interface Evidence {
  kind: 'sign' | 'time order' | 'dose' | 'counter-evidence';
  weight: number;
  text: string;
}

export interface Lead {
  /** `unknown` where no candidate has enough evidence, or none has clearly more than another. */
  cause: CauseName | 'unknown';
  /** How often this cause was right when it led in runs with a known one; null: it never led there. */
  calibration: CalibrationFigure | null;
}

export interface CalibrationFigure {
  led: number;
  right: number;
  /** Share of right ones, 95 %. */
  interval: [low: number, high: number];
}

export interface AddressShare {
  address: string;
  failures: number;
  share: number;
  /** Probability that an address would have so many of them if all were alike, corrected for their number. */
  p: number;
}

export interface Sequence {
  first: SymptomKind;
  then: SymptomKind;
  /** Of so many beginnings of the first, after so many the second began within the window. */
  followed: number;
  of: number;
  /** How many were to be expected by chance. */
  expected: number;
  /** Corrected by Holm for all pairs. */
  p: number;
  beyondChance: boolean;
}

export type SaturationSign =
  'server CPU' | 'server event loop' | 'ingest refusals' | 'delivery latency' | 'throughput' | 'generator';

export interface Saturation {
  outcome: 'reached' | 'not-reached' | 'not-shown';
  reason: string;
  /** What passed its limit, the first first. */
  signs: { sign: SaturationSign; atS: number; offered: number }[];
  /** Deliveries a second. */
  highestOffered: number | null;
  highestDelivered: number | null;
  fit: ScalabilityFit | null;
  /** How much more load than the least of the scenario's steady ones the target takes before it is saturated; 0.5: half as much again. */
  headroom: {
    over: number;
    share: number;
    interval: [low: number, high: number] | null;
    atLeast: boolean;
  } | null;
}

/** Throughput X at load N: X = gamma N / (1 + sigma (N - 1) + kappa N (N - 1)), N in units of the lowest load. */
export interface ScalabilityFit {
  unit: number;
  gamma: number;
  sigma: number;
  kappa: number;
  blocks: number;
  /** The most that the curve delivers at any load of the run, in deliveries a second: what is due beyond it waits. Null: it delivers what is due up to the highest load. */
  saturation: { value: number; interval: [low: number, high: number] } | null;
  rootMeanSquareError: number;
}
