/**
 * 10,000 viewers and 10 events a second, each to everyone: how old is an event when a viewer has it, and what does a connection hold?
 * Rival, in the same run: the plain broadcast on `ws`. Needs `ulimit -n 20000`. Options: --rounds 2, --viewers 10000, --seconds 10.
 */
import { printConditions } from './conditions.ts';
import { measure, printLimits, type Result } from './live/measure.ts';
import { option } from './live/option.ts';

const load = { connections: option('viewers', 10_000), rate: 10, seconds: option('seconds', 10) };
printConditions(
  `${load.connections} viewers x ${load.rate} events/s; server on core 0, load test on core 1; ours is fed through the follow() callback`,
);
const names = ['logloom', 'ws'] as const;
for (let round = 1; round <= option('rounds', 2); round++) {
  const results = {} as Record<(typeof names)[number], Result>;
  for (const name of round % 2 === 1 ? names : [...names].reverse()) {
    const result = await measure(name, load);
    results[name] = result;
    console.log(
      `round ${round}, ${name}: p50 ${result.p50Ms.toFixed(0)} ms, p99 ${result.p99Ms.toFixed(0)} ms, ${result.serverCpu.toFixed(2)} of a core, RSS a connection ${result.idleKb.toFixed(1)} KB idle, ${result.loadedKb.toFixed(1)} KB loaded; lost ${result.lost}, failed ${result.failed}, closed ${result.closed}; load test ${result.generatorCpu.toFixed(2)}, other programs ${result.othersCpu.toFixed(2)} cores`,
    );
    printLimits(result);
  }
  const { logloom: ours, ws } = results;
  console.log(
    `round ${round}, ws / logloom: p50 ${(ws.p50Ms / ours.p50Ms).toFixed(2)}, p99 ${(ws.p99Ms / ours.p99Ms).toFixed(2)}, CPU ${(ws.serverCpu / ours.serverCpu).toFixed(2)}, RSS idle ${(ws.idleKb / ours.idleKb).toFixed(2)}, loaded ${(ws.loadedKb / ours.loadedKb).toFixed(2)}`,
  );
}
