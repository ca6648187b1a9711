import type { Measured } from '../verdict/measured.ts';
import { addressesOf } from './addresses.ts';
import type { Analysis, CalibrationFigure, Episode, Lead } from './analysis-result.ts';
import { candidatesOf, leadOf } from './candidates.ts';
import { cascadeOf } from './cascade.ts';
import type { CauseName } from './cause-names.ts';
import { episodesOf } from './episodes.ts';
import { saturationOf } from './saturation.ts';
import { sequencesOf } from './sequences.ts';
import { symptomsOf } from './symptoms.ts';

/** How often each cause was right when it led; causes that never led are missing. */
export type CalibrationFigures = Readonly<Partial<Record<CauseName, CalibrationFigure>>>;

/** Analyses a run, from its measurements alone: what a scenario injected is no evidence. */
export function analyse(run: Measured, calibration: CalibrationFigures): Analysis {
  const symptoms = symptomsOf(run);
  const sequences = sequencesOf(symptoms, run.durationS);
  const episodes = episodesOf(symptoms).map((episode): Episode => {
    const members = episode.symptoms.map((index) => symptoms[index]!);
    const candidates = candidatesOf(run, members, episode);
    const cause = leadOf(candidates);
    return {
      ...episode,
      cascade: cascadeOf(episode.symptoms, symptoms, sequences),
      candidates,
      lead: { cause, calibration: cause === 'unknown' ? null : (calibration[cause] ?? null) },
    };
  });
  return {
    symptoms,
    episodes,
    addresses: addressesOf(run),
    sequences,
    lead: heaviest(episodes),
    saturation: saturationOf(run),
  };
}

/** The lead of the episode with the most evidence for a cause; `unknown` where none has enough. */
function heaviest(episodes: readonly Episode[]): Lead | null {
  const score = ({ candidates, lead }: Episode): number =>
    lead.cause === 'unknown' ? 0 : candidates[0]!.score;
  // Of equal ones the one with more symptoms, and then the first.
  const [first] = episodes.toSorted((a, b) => score(b) - score(a) || b.symptoms.length - a.symptoms.length);
  return first?.lead ?? null;
}
