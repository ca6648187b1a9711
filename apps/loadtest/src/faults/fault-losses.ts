import type { ProducerEnd, ViewersEnd } from '../generator/messages.ts';
import type { FaultLosses } from '../result.ts';
import { Ramp } from '../scenario/ramp.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { tenthOf } from './tenths.ts';

/** How much is missing, by the tenth of a second in which the events were due. */
export type MissingEvents = Record<keyof FaultLosses, ReadonlyMap<number, number>>;

export function missingEvents(
  { events }: Pick<Scenario, 'events'>,
  ends: readonly Pick<ViewersEnd, 'missing'>[],
  { refused, unknown }: Pick<ProducerEnd, 'refused' | 'unknown'>,
): MissingEvents {
  const ramp = new Ramp(events.stages);
  const due = (numbers: readonly number[]): [number, number][] =>
    numbers.map((n) => [tenthOf(ramp.timeOf(n + 1)), 1]);
  return {
    undelivered: totals(ends.flatMap(({ missing }) => missing)),
    refused: totals(due(refused)),
    unknown: totals(due(unknown)),
  };
}

/** Of the events that were due between two moments, in seconds since the start of the run; null: nothing is known of them. */
export function lossesIn(fromS: number, toS: number, missing: MissingEvents | undefined): FaultLosses | null {
  if (missing === undefined) return null;
  const sum = (of: ReadonlyMap<number, number>): number => {
    let total = 0;
    for (const [tenth, count] of of) if (tenth >= tenthOf(fromS) && tenth <= tenthOf(toS)) total += count;
    return total;
  };
  return {
    undelivered: sum(missing.undelivered),
    refused: sum(missing.refused),
    unknown: sum(missing.unknown),
  };
}

function totals(counts: readonly (readonly [number, number])[]): Map<number, number> {
  const total = new Map<number, number>();
  for (const [tenth, count] of counts) total.set(tenth, (total.get(tenth) ?? 0) + count);
  return total;
}
