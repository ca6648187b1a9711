import type { RunResult } from '../result.ts';

/**
 * With fewer, even if the candidate is higher in each round, p is above 0.05 after Holm's correction for some twenty metrics: 20 * 2 / 2^10
 * is 0.039.
 */
export const roundsToPair = 10;

/** Share of each side's runs that stand in rounds where the sides were run in turns. */
const pairedShare = 0.75;

export interface Round {
  baseline: RunResult;
  candidate: RunResult;
}

/**
 * The rounds of runs that were made in turns (A B A B, or A B B A): in order of their start, each with the next, where that is of the other
 * side. Null where the sides were not run in turns, or in fewer rounds than a test of pairs needs.
 */
export function roundsOf(baseline: readonly RunResult[], candidate: readonly RunResult[]): Round[] | null {
  const inOrder = [
    ...baseline.map((run) => ({ run, isBaseline: true })),
    ...candidate.map((run) => ({ run, isBaseline: false })),
  ].toSorted((a, b) => Date.parse(a.run.startedAt) - Date.parse(b.run.startedAt));
  const rounds: Round[] = [];
  for (let i = 0; i + 1 < inOrder.length; i++) {
    const [first, second] = [inOrder[i]!, inOrder[i + 1]!];
    if (first.isBaseline === second.isBaseline) continue;
    const [a, b] = first.isBaseline ? [first, second] : [second, first];
    rounds.push({ baseline: a.run, candidate: b.run });
    i++;
  }
  const fewest = pairedShare * Math.max(baseline.length, candidate.length);
  return rounds.length >= Math.max(roundsToPair, fewest) ? rounds : null;
}
