/**
 * What do 1,000 distinct filters cost? 10,000 viewers with one filter, beside the same 10,000 with 1,000 filters of which every event
 * matches all (so that there are as many deliveries, from 1,000 batches instead of one), once as the index files them and once such
 * that nothing but testing helps; and beside 1,000 filters that no event matches, which the index spares.
 * Needs `ulimit -n 20000`. Options: --rounds 2, --viewers 10000, --rate 5, --seconds 10.
 */
import { printConditions } from './conditions.ts';
import { measure, printLimits, type Result } from './live/measure.ts';
import { option } from './live/option.ts';

const filters = [
  ['1 filter', undefined],
  ['1,000 that match, indexed', 'NOT host:h{{n}}'],
  ['1,000 that match, tested', 'attributes.loadtest.n:>-{{n}}'],
  ['1,000 that do not match', 'service:s{{n}}'],
] as const;

const [connections, rate, seconds] = [option('viewers', 10_000), option('rate', 5), option('seconds', 10)];
printConditions(`${connections} viewers, ${rate} events/s; server on core 0, load test on core 1`);
for (let round = 1; round <= option('rounds', 2); round++) {
  const results: Result[] = [];
  for (const [name, text] of round % 2 === 1 ? filters : [filters[0], ...filters.slice(1).reverse()]) {
    const condition = text === undefined ? undefined : { text, count: 1000 };
    const result = await measure('logloom', { connections, rate, seconds, condition });
    results.push(result);
    console.log(
      `round ${round}, ${name}: ${result.serverCpuMsAnEvent.toFixed(1)} ms CPU an event, ${(result.serverCpuMsAnEvent / results[0]!.serverCpuMsAnEvent).toFixed(2)} of one filter; p99 ${result.p99Ms.toFixed(0)} ms, ${Math.round(result.deliveriesPerSecond)} deliveries/s, other programs ${result.othersCpu.toFixed(2)} cores`,
    );
    printLimits(result);
  }
}
