import type { Link, Sequence, Symptom } from './analysis-result.ts';
import { windowS } from './sequences.ts';

/**
 * The symptoms of an episode as a graph: each is linked with the latest that began before it, within the window. Links say that the order of
 * time allows a consequence; those that are also beyond chance in this run say so.
 */
export function cascadeOf(
  members: readonly number[],
  symptoms: readonly Symptom[],
  sequences: readonly Sequence[],
): Link[] {
  const beyond = new Set(
    sequences.filter(({ beyondChance }) => beyondChance).map(({ first, then }) => `${first}>${then}`),
  );
  return members.flatMap((to) => {
    const { fromS, kind } = symptoms[to]!;
    const earlier = members.filter(
      (index) => symptoms[index]!.fromS < fromS && fromS - symptoms[index]!.fromS <= windowS,
    );
    const latest = Math.max(...earlier.map((index) => symptoms[index]!.fromS));
    return earlier
      .filter((from) => symptoms[from]!.fromS === latest || beyond.has(`${symptoms[from]!.kind}>${kind}`))
      .map((from) => ({
        from,
        to,
        afterS: fromS - symptoms[from]!.fromS,
        beyondChance: beyond.has(`${symptoms[from]!.kind}>${kind}`),
      }));
  });
}
