import type { Episode, Symptom } from './analysis-result.ts';

/** What follows within so many seconds belongs to the same episode. */
const apartS = 5;

type Grouped = Pick<Episode, 'fromS' | 'toS' | 'symptoms' | 'components'>;

/**
 * Groups symptoms that overlap or have at most five seconds between them (single linkage). A generator at its limit and a busy machine, which
 * may be so all the time, are put to the episodes that they overlap and join none; a busy machine by itself is none. What lasts through the run is an episode of its own.
 */
export function episodesOf(symptoms: readonly Symptom[]): Grouped[] {
  const members = symptoms.map((symptom, index) => ({ ...symptom, index }));
  const isLasting = ({ kind }: Symptom): boolean => kind === 'server-memory-grows';
  const isBackground = ({ kind }: Symptom): boolean => kind === 'generator-limit' || kind === 'machine-busy';
  const episodes = joined(members.filter((each) => !isLasting(each) && !isBackground(each)));
  const background = members.filter(isBackground);
  const overlaps = (one: Symptom, other: { fromS: number; toS: number }): boolean =>
    one.fromS < other.toS && one.toS > other.fromS;
  for (const episode of episodes)
    episode.members.push(...background.filter((symptom) => overlaps(symptom, episode)));
  const alone = background.filter(
    (symptom) => symptom.kind !== 'machine-busy' && !episodes.some((episode) => overlaps(symptom, episode)),
  );
  return [...episodes, ...joined(alone), ...joined(members.filter(isLasting))]
    .map(({ fromS, toS, members: of }) => ({
      fromS,
      toS,
      symptoms: of.map(({ index }) => index).sort((a, b) => a - b),
      components: [...new Set(of.map(({ component }) => component))],
    }))
    .sort((a, b) => a.fromS - b.fromS);
}

function joined<T extends Symptom>(symptoms: readonly T[]): { fromS: number; toS: number; members: T[] }[] {
  const groups: { fromS: number; toS: number; members: T[] }[] = [];
  for (const symptom of symptoms) {
    const open = groups.at(-1);
    if (open !== undefined && symptom.fromS - open.toS <= apartS) {
      open.members.push(symptom);
      open.toS = Math.max(open.toS, symptom.toS);
    } else groups.push({ fromS: symptom.fromS, toS: symptom.toS, members: [symptom] });
  }
  return groups;
}
