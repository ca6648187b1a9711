import type { Measured } from '../verdict/measured.ts';
import type { Candidate, Symptom } from './analysis-result.ts';
import type { CauseName } from './cause-names.ts';
import { causeRules } from './rules/cause-rules.ts';
import { EpisodeFacts } from './episode-facts.ts';

/** A candidate leads from this score on, and with so much more than the next one. */
const enough = 3;
const margin = 1;

/** What could have caused an episode, the best evidence first. A candidate has some sign that is its own. */
export function candidatesOf(
  run: Measured,
  symptoms: readonly Symptom[],
  span: { fromS: number; toS: number },
): Candidate[] {
  const facts = new EpisodeFacts(run, symptoms, span);
  return causeRules
    .map(({ cause, weigh, refutedBy }) => {
      const evidence = weigh(facts);
      return { cause, refutedBy, evidence, score: evidence.reduce((sum, { weight }) => sum + weight, 0) };
    })
    .filter(({ evidence }) => evidence.length > 0)
    .sort((a, b) => b.score - a.score);
}

/** The candidate that leads clearly; else `unknown`. */
export function leadOf([first, second]: readonly Candidate[]): CauseName | 'unknown' {
  if (first === undefined || first.score < enough) return 'unknown';
  return second === undefined || first.score - second.score >= margin ? first.cause : 'unknown';
}
