/**
 * How many deliveries a second can one process make? The rate of events grows by a fourth every 4 s until viewers are a second behind.
 * Rivals, in the same run: centrifuge's library, which puts the messages that wait for a connection into one frame (where there is a Go
 * compiler), and the plain broadcast on `ws`. A delivery costs the load test a few microseconds: where it is the limit, it says so, and the CPU
 * that a server takes for a delivery is what compares. Needs `ulimit -n 20000`.
 * Options: --rounds 1, --viewers 1000, --seconds 40, --start 300 (events a second; `ws` starts at a fourth).
 */
import { printConditions } from './conditions.ts';
import { measure, printLimits } from './live/measure.ts';
import { option } from './live/option.ts';
import { hasGo } from './live/rivals/rival.ts';

const connections = option('viewers', 1000);
const start = option('start', 300);
const seconds = option('seconds', 40);
printConditions(
  `${connections} viewers of everything; server on core 0, load test on core 1; ours is fed through the follow() callback`,
);
if (!hasGo()) console.log('without centrifuge: there is no Go compiler');
const names = ['logloom', ...(hasGo() ? (['centrifuge'] as const) : []), 'ws'] as const;
const show = (perSecond: number): string => `${Math.round(perSecond / 1000).toLocaleString('en')}k/s`;
for (let round = 1; round <= option('rounds', 1); round++) {
  const figures = new Map<string, { peak: number; micros: number }>();
  for (const name of round % 2 === 1 ? names : [...names].reverse()) {
    const rate = name === 'ws' ? start / 4 : start;
    const result = await measure(name, { connections, rate, seconds, ramps: true });
    const { lastKept, peakPerSecond } = result;
    const micros = (result.serverCpu * 1e6) / result.deliveriesPerSecond;
    figures.set(name, { peak: peakPerSecond, micros });
    console.log(
      `round ${round}, ${name}: best three seconds ${show(peakPerSecond)}, last step kept up ${lastKept === undefined ? 'none' : `${show(lastKept.perSecond)} at p99 ${lastKept.p99Ms.toFixed(0)} ms`}; ${micros.toFixed(2)} µs of the server's CPU a delivery; server ${result.serverCpu.toFixed(2)}, load test ${result.generatorCpu.toFixed(2)}, other programs ${result.othersCpu.toFixed(2)} cores; lost ${result.lost}, closed ${result.closed}`,
    );
    printLimits(result);
  }
  const ours = figures.get('logloom')!;
  figures.delete('logloom');
  const ratios = [...figures].map(
    ([name, { peak, micros }]) =>
      `${name} ${(ours.peak / peak).toFixed(2)} in the best three seconds, ${(micros / ours.micros).toFixed(2)} in CPU a delivery`,
  );
  console.log(`round ${round}, ours to: ${ratios.join('; ')}`);
}
