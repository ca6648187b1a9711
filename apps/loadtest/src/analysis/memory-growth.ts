import { slopeOf } from '../compare/trend.ts';
import { median } from '../verdict/interval.ts';
import { heaviestSteadySeconds } from '../verdict/judge-reading.ts';
import type { Measured } from '../verdict/measured.ts';
import type { Symptom } from './analysis-result.ts';

const blockS = 3;
/** A process that begins to work takes memory that it keeps; its growth says nothing about a leak. */
const warmUpShare = 1 / 4;
const fewestBlocks = 8;
const significance = 0.01;
const leastBytes = 16 * 2 ** 20;
/** Less is the heap of a young process. */
const leastShare = 0.2;

/** Memory of the server that grows all through the steady part of the run: by each half of it, and no slower at the end. */
export function memoryGrowth(run: Measured): Omit<Symptom, 'component'>[] {
  if (run.incidents.some(({ kind }) => kind === 'server-restarted')) return [];
  const steady = heaviestSteadySeconds(run).filter(({ atS }) => atS < run.durationS);
  const seconds = steady.slice(Math.floor(steady.length * warmUpShare));
  const blocks: { atS: number; bytes: number }[] = [];
  for (let from = 0; from + blockS <= seconds.length; from += blockS) {
    const within = seconds.slice(from, from + blockS);
    const bytes = within.map((second) => second.serverMemoryBytes).filter((value) => value !== null);
    if (bytes.length > 0) blocks.push({ atS: within[0]!.atS, bytes: median(bytes) });
  }
  if (blocks.length < fewestBlocks) return [];
  const values = blocks.map(({ bytes }) => bytes);
  const { perRun, interval, p } = slopeOf(values);
  const [first, last] = [values[0]!, values.at(-1)!];
  const half = values.length >> 1;
  const [early, late] = [slopeOf(values.slice(0, half)).perRun, slopeOf(values.slice(half)).perRun];
  const grows = p < significance && interval[0] > 0 && late > 0.5 * early;
  if (!grows || last - first < Math.max(leastBytes, leastShare * first)) return [];
  const perSecond = perRun / blockS / 2 ** 20;
  return [
    {
      kind: 'server-memory-grows',
      fromS: blocks[0]!.atS,
      toS: blocks.at(-1)!.atS + blockS,
      amount: (last - first) / 2 ** 20,
      unit: 'MiB',
      usual: first / 2 ** 20,
      detail: `${perSecond.toFixed(2)} MiB a second, ${(interval[0] / blockS / 2 ** 20).toFixed(2)} to ${(interval[1] / blockS / 2 ** 20).toFixed(2)}`,
    },
  ];
}
