/**
 * Viewers of the load test in one process. argv: client (lean or ws), port of the broadcaster, viewers, seconds. Tells `connected`, then a
 * ClientsReport.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { newHistogram, recordMs } from '../../apps/loadtest/src/generator/latency-histogram.ts';
import { TickWheel } from '../../apps/loadtest/src/generator/tick-wheel.ts';
import { Viewer } from '../../apps/loadtest/src/generator/viewer.ts';
import { ExpectedEvents } from '../../apps/loadtest/src/oracle/expected.ts';
import { defaultTraffic } from '../../apps/loadtest/src/scenario/scenario.ts';
import { FrameReader } from '../../apps/loadtest/src/target/frame-reader.ts';
import { openTarget } from '../../apps/loadtest/src/target/open-target.ts';
import { Traffic } from '../../apps/loadtest/src/traffic/traffic.ts';

export interface ClientsReport {
  connectMicros: number;
  deliveryMicros: number;
  deliveries: number;
  heapBytes: number;
  rssBytes: number;
}

const connectsPerTick = 20;
const tickMs = 10;

const [client, port, viewers, seconds] = [process.argv[2], ...process.argv.slice(3).map(Number)] as [
  string,
  number,
  number,
  number,
];
const run = '0123456789ab';
const traffic = new Traffic(run, defaultTraffic);
const expected = new ExpectedEvents(traffic, { kind: 'all' });
const target = openTarget({ kind: 'logloom', url: `http://127.0.0.1:${port}` });
const reader = new FrameReader((bytes) => target.decode(bytes), {
  run,
  check: () => undefined,
  senderOf: () => 0,
});
const histogram = newHistogram();
const wheel = new TickWheel(50, () => performance.now());
const all: Viewer[] = [];
let connected = 0;
let deliveries = 0;
const problems: string[] = [];

const cpuMicros = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};
const open = (number: number): Viewer => {
  const viewer = new Viewer(number, { weight: 1, watch: 'all' }, expected, {
    target,
    reader,
    viewing: { filter: '', compression: client === 'ws' },
    begin: 'now',
    wheel,
    nowMs: () => performance.now(),
    dueNow: () => 0,
    certainFrom: () => 0,
    onSessionOver: () => {},
    onConnected: () => connected++,
    onDelivery: ({ numbers }) => {
      deliveries += numbers.length;
      numbers.forEach(() => recordMs(histogram, 1));
    },
    onEnd: (reason) => problems.push(reason),
    onFault: ({ kind }) => problems.push(kind),
  });
  viewer.open();
  return viewer;
};

// The first ones compile the code.
for (let n = 0; n < 50; n++) open(-n).leave(0);
await sleep(1_000);
global.gc!();
const before = process.memoryUsage();
const cpuBefore = cpuMicros();
connected = 0;
while (all.length < viewers) {
  for (let i = 0; i < connectsPerTick && all.length < viewers; i++) all.push(open(all.length));
  await sleep(tickMs);
}
while (connected < viewers) await sleep(tickMs);
const connectMicros = (cpuMicros() - cpuBefore) / viewers;
process.send!('connected');
// A viewer that has got nothing yet has allocated less than one that watches.
await sleep(2_000);
global.gc!();
const { heapUsed, rss } = process.memoryUsage();
const cpuConnected = cpuMicros();
deliveries = 0;
await sleep(seconds * 1_000);
if (problems.length > 0) throw new Error(problems.slice(0, 5).join(', '));
process.send!({
  connectMicros,
  deliveryMicros: (cpuMicros() - cpuConnected) / deliveries,
  deliveries,
  heapBytes: (heapUsed - before.heapUsed) / viewers,
  rssBytes: (rss - before.rss) / viewers,
} satisfies ClientsReport);
