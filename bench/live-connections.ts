/**
 * Does one process hold 15,000 viewers? They connect, get an event a second, and nothing may be lost. Rival, in the same run: the
 * plain broadcast on `ws`. Needs `ulimit -n 20000`. Options: --viewers 15000, --rate 1, --seconds 20.
 */
import { printConditions } from './conditions.ts';
import { measure, printLimits } from './live/measure.ts';
import { option } from './live/option.ts';

const load = {
  connections: option('viewers', 15_000),
  rate: option('rate', 1),
  seconds: option('seconds', 20),
};
printConditions(
  `${load.connections} viewers of everything, ${load.rate} event/s; server on core 0, load test on core 1; ours is fed through the follow() callback`,
);
for (const name of ['logloom', 'ws'] as const) {
  const result = await measure(name, load);
  console.log(
    `${name}: ${result.open} open after ${result.connectSeconds} s, ${result.failed} failed, ${result.closed} closed; ${result.events} events, ${result.lost} deliveries lost; p50 ${result.p50Ms.toFixed(0)} ms, p99 ${result.p99Ms.toFixed(0)} ms; RSS a connection ${result.idleKb.toFixed(1)} KB idle, ${result.loadedKb.toFixed(1)} KB loaded; ${result.serverCpu.toFixed(2)} of a core, load test ${result.generatorCpu.toFixed(2)}, other programs ${result.othersCpu.toFixed(2)} cores`,
  );
  printLimits(result);
}
