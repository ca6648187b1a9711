/**
 * Do several processes hold 50,000 viewers on one machine? They connect from 127.0.0.0/8, get an event a second, and nothing may be
 * lost. No rival holds as many in one process; bench/live-connections.ts compares one. Needs `ulimit -n 20000`.
 * Options: --viewers 50000, --workers 4, --seconds 20.
 */
import { readScenario, runScenario } from '@logloom/loadtest';
import { printConditions } from './conditions.ts';
import { Fleet } from './live/fleet.ts';
import { residentKb } from './live/measure.ts';
import { option } from './live/option.ts';

const viewers = option('viewers', 50_000);
const workers = option('workers', 4);
const seconds = option('seconds', 20);
const connectS = Math.max(1, viewers / 2_000);
const beginsAtS = connectS + 5;
printConditions(`${viewers} viewers of everything, ${workers} workers, 1 event/s`);
await using fleet = await Fleet.open(workers, '127.0.0.1', 3_000);
await using ingest = await fleet.openIngest();
const scenario = readScenario(
  JSON.stringify({
    viewers: {
      stages: [{ to: viewers, for: `${connectS}s` }, { for: `${beginsAtS + seconds - connectS}s` }],
      mix: [{ watch: 'all' }],
    },
    events: {
      stages: [
        { to: 0, for: `${beginsAtS}s` },
        { to: 1, for: `${seconds}s`, shape: 'steps', count: 1 },
      ],
    },
  }),
  'workers',
);
let memoryMb: number[] = [];
const { connections, delivery, generator, timeline } = await runScenario(
  scenario,
  {
    url: `http://127.0.0.1:${fleet.port}/`,
    token: undefined,
    ingestUrl: ingest.url,
    ingestKey: undefined,
    metricsUrls: [],
    checksSearch: false,
    onProgress: ({ atS }) => {
      if (atS >= beginsAtS && memoryMb.length === 0)
        memoryMb = fleet.supervisor.workers.pids.map((pid) => residentKb(pid) / 1024);
    },
  },
  new AbortController().signal,
);
const openAfterS = (timeline.find((second) => second.viewers >= viewers)?.atS ?? NaN) + 1;
console.log(
  `${connections.watching} open after ${openAfterS} s, ${connections.failed} failed, ${connections.lost} closed; ${delivery.received} deliveries, ${delivery.lost.count} lost, ${delivery.duplicated.count} twice; p50 ${delivery.latency.p50?.toFixed(0)} ms, p99 ${delivery.latency.p99?.toFixed(0)} ms; RSS of the workers ${memoryMb.map((mb) => mb.toFixed(0)).join(' + ')} MB; load test ${generator.processes} processes`,
);
for (const limit of generator.limits) console.log(`  the load test was the limit: ${limit}`);
