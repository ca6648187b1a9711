import type { Measured } from '../verdict/measured.ts';
import { median } from '../verdict/interval.ts';

export const blockS = 5;
/** The first seconds of a run are those of processes that begin. */
const warmUpS = 5;

/** Some seconds of a ramp together. */
export interface LoadBlock {
  atS: number;
  /** Deliveries a second that were due, and that arrived. */
  offered: number;
  delivered: number;
  /** Highest p99 is that of one second; this is their median. */
  p99Ms: number | null;
  serverCpu: number | null;
  serverLoopShare: number | null;
  serverLoopDelayMs: number | null;
  refused: number;
  generatorLimits: number;
}

/** Blocks of five seconds. What is due is all that was expected, spread by the events due and the viewers that watched. */
export function loadBlocksOf(run: Measured): LoadBlock[] {
  const seconds = run.timeline.filter(({ atS }) => atS >= warmUpS && atS < run.durationS);
  const weight = run.timeline.reduce((sum, { due, viewers }) => sum + due * viewers, 0);
  const perWeight = weight > 0 ? run.delivery.expected / weight : 0;
  const blocks: LoadBlock[] = [];
  for (let from = 0; from + blockS <= seconds.length; from += blockS) {
    const within = seconds.slice(from, from + blockS);
    const mean = (values: readonly number[]): number =>
      values.reduce((sum, value) => sum + value, 0) / blockS;
    const middle = (values: readonly (number | null)[]): number | null => {
      const known = values.filter((value) => value !== null);
      return known.length === 0 ? null : median(known);
    };
    const [first, end] = [within[0]!.atS, within.at(-1)!.atS + 1];
    const incidents = run.incidents.filter(({ atS }) => atS >= first && atS < end);
    const count = (...kinds: readonly string[]): number =>
      incidents.filter(({ kind }) => kinds.includes(kind)).reduce((sum, { count }) => sum + count, 0);
    blocks.push({
      atS: first,
      offered: mean(within.map(({ due, viewers }) => due * viewers * perWeight)),
      delivered: mean(within.map(({ deliveries }) => deliveries)),
      p99Ms: middle(within.map((second) => second.p99Ms)),
      serverCpu: middle(within.map((second) => second.serverCpu)),
      serverLoopShare: middle(within.map((second) => second.serverLoopShare)),
      serverLoopDelayMs: middle(within.map((second) => second.serverLoopDelayMs)),
      refused: count('send-failed'),
      generatorLimits: count('generator-busy', 'generator-late', 'generator-paused'),
    });
  }
  return blocks.filter(({ offered }) => offered > 0);
}
