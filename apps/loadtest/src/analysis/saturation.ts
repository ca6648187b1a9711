import type { Measured } from '../verdict/measured.ts';
import { figure } from '../verdict/figure.ts';
import { seeded } from '../verdict/seeded.ts';
import type { Saturation, SaturationSign, ScalabilityFit } from './analysis-result.ts';
import { loadBlocksOf, type LoadBlock } from './load-blocks.ts';
import { fitCurve, mostThroughput, throughputAt, type Point } from './scalability-fit.ts';
import { quantileOf } from './series.ts';

/** A ramp offers at least so many times its lowest load at its end; else nothing can be said of saturation. */
const leastGrowth = 2;
/** Fewer blocks than these cannot be resampled. */
const fewestBlocks = 8;
const leastLoadShare = 0.02;
const resamples = 400;
/** Below so large a share of what is offered the target is saturated. */
const saturatedShare = 0.9;
/** A sign has to be in so many blocks in a row. */
const inARow = 2;
/** And in so many of all later blocks: what passes at a higher load was none of the load. */
const staysShare = 0.5;
/** Blocks with so many times the least load count as calm. */
const calmLoad = 1.5;

const limits: readonly { sign: SaturationSign; isOver: (block: LoadBlock, calm: LoadBlock) => boolean }[] = [
  { sign: 'generator', isOver: ({ generatorLimits }) => generatorLimits >= 2 },
  { sign: 'server CPU', isOver: ({ serverCpu }) => (serverCpu ?? 0) > 0.9 },
  { sign: 'server event loop', isOver: ({ serverLoopShare }) => (serverLoopShare ?? 0) > 0.9 },
  { sign: 'ingest refusals', isOver: ({ refused }) => refused > 0 },
  {
    sign: 'delivery latency',
    isOver: ({ p99Ms }, calm) => (p99Ms ?? 0) > Math.max(3 * (calm.p99Ms ?? 0), (calm.p99Ms ?? 0) + 60),
  },
  { sign: 'throughput', isOver: ({ offered, delivered }) => delivered < saturatedShare * offered },
];

/** Where the target was saturated on a ramp, what gave out first, and how much more than the lowest load it takes. */
export function saturationOf(run: Measured): Saturation {
  const all = loadBlocksOf(run);
  const most = Math.max(0, ...all.map((block) => block.offered));
  // While the first viewers connect there is hardly a load.
  const blocks = all.filter((block) => block.offered >= leastLoadShare * most);
  const offered = blocks.map((block) => block.offered);
  const highestOffered = offered.length === 0 ? null : Math.max(...offered);
  const highestDelivered = blocks.length === 0 ? null : Math.max(...blocks.map(({ delivered }) => delivered));
  const said = { signs: [], highestOffered, highestDelivered, fit: null, headroom: null };
  const not = (reason: string): Saturation => ({ outcome: 'not-shown', reason, ...said });
  if (run.faults.length > 0) return not('faults were injected: run a ramp without them');
  if (blocks.length < fewestBlocks)
    return not(`the run is too short: ${fewestBlocks * 5} s and more are needed`);
  const lowest = Math.min(...offered);
  if (highestOffered! < leastGrowth * lowest || !isRising(blocks))
    return not('the load did not grow: run the scenario saturate');
  const signs = signsOf(blocks);
  const isLimited = signs.some(({ sign }) => sign === 'generator');
  const [first] = signs;
  // What the generator measured once it was at its limit says nothing about the target; what came before does.
  if (
    isLimited &&
    (first!.sign === 'generator' || signs[0]!.atS === signs.find(({ sign }) => sign === 'generator')!.atS)
  )
    return { ...not('the generator was the limit before the target: give it a machine of its own'), signs };
  const until = signs.find(({ sign }) => sign === 'generator')?.atS ?? Infinity;
  const usable = blocks.filter(({ atS }) => atS < until);
  const fit = fitOf(usable);
  const saturation = fit?.saturation ?? null;
  const targetSigns = signs.filter(({ atS }) => atS < until);
  const over = lowest;
  if (saturation === null) {
    const kept = Math.max(...usable.map((block) => block.offered));
    return {
      outcome: 'not-reached',
      reason: `the target delivered what was offered up to ${figure(kept)} deliveries a second${targetSigns.length > 0 ? `, though ${targetSigns[0]!.sign} passed its limit first, at ${figure(targetSigns[0]!.offered)}` : ''}${isLimited ? '; above it the generator was the limit' : ''}`,
      signs,
      highestOffered,
      highestDelivered,
      fit,
      headroom: { over, share: kept / over - 1, interval: null, atLeast: true },
    };
  }
  return {
    outcome: 'reached',
    reason:
      targetSigns.length > 0
        ? `first ${targetSigns[0]!.sign}, at ${figure(targetSigns[0]!.offered)} deliveries a second`
        : 'no reading passed its limit before the throughput fell behind',
    signs,
    highestOffered,
    highestDelivered,
    fit,
    headroom: {
      over,
      share: saturation.value / over - 1,
      interval: [saturation.interval[0] / over - 1, saturation.interval[1] / over - 1],
      atLeast: false,
    },
  };
}

/** Whether later blocks have more load: three of four pairs do. */
function isRising(blocks: readonly LoadBlock[]): boolean {
  let [rising, pairs] = [0, 0];
  for (let i = 0; i < blocks.length; i++)
    for (let j = i + 1; j < blocks.length; j++) {
      pairs++;
      if (blocks[j]!.offered > blocks[i]!.offered) rising++;
    }
  return rising >= 0.7 * pairs;
}

function signsOf(blocks: readonly LoadBlock[]): Saturation['signs'] {
  const calm = blocks.toSorted((a, b) => a.offered - b.offered)[Math.floor(blocks.length / 10)]!;
  const least = Math.min(...blocks.map(({ offered }) => offered));
  const calmOnes = blocks.filter(({ offered }) => offered <= calmLoad * least);
  return limits
    .flatMap(({ sign, isOver }) => {
      // What is so at the least load too is none of the load; but a generator at its limit measures itself, whatever the reason.
      const inCalm = calmOnes.filter((block) => isOver(block, calm)).length;
      if (sign !== 'generator' && inCalm >= staysShare * calmOnes.length) return [];
      const isOverAt = blocks.map((block) => isOver(block, calm));
      const at = isOverAt.findIndex((_, i) => {
        const rest = isOverAt.slice(i);
        const over = rest.filter(Boolean).length;
        return (
          rest.length >= inARow && rest.slice(0, inARow).every(Boolean) && over >= staysShare * rest.length
        );
      });
      return at === -1 ? [] : [{ sign, atS: blocks[at]!.atS, offered: blocks[at]!.offered }];
    })
    .sort((a, b) => a.atS - b.atS);
}

/** The curve through the blocks; its interval by the bootstrap: blocks are drawn again with replacement, percentiles of 95 %. */
function fitOf(blocks: readonly LoadBlock[]): ScalabilityFit | null {
  const unit = Math.min(...blocks.map(({ offered }) => offered));
  const points = blocks.map(({ offered, delivered }): Point => ({
    load: offered / unit,
    throughput: delivered,
  }));
  const fit = fitCurve(points);
  if (fit === null) return null;
  const highest = Math.max(...points.map(({ load }) => load));
  const random = seeded(points.length);
  const found: number[] = [];
  for (let i = 0; i < resamples; i++) {
    const again = points.map(() => points[Math.floor(random() * points.length)]!);
    found.push(mostThroughput((fitCurve(again) ?? fit).curve, highest));
  }
  // A curve that still delivers what is due at the highest load has no peak that it shows.
  const isSaturated = throughputAt(fit.curve, highest) < saturatedShare * highest * unit;
  return {
    unit,
    ...fit.curve,
    blocks: points.length,
    saturation: isSaturated
      ? {
          value: mostThroughput(fit.curve, highest),
          interval: [quantileOf(found, 0.025), quantileOf(found, 0.975)],
        }
      : null,
    rootMeanSquareError: fit.rootMeanSquareError,
  };
}
