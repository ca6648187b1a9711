import { CanarySeal } from '@logloom/auth';
import { createEmbeddedSchemaRegistry, createSerde } from '@logloom/schema-registry';
import { isCanaryEvent, placeEvent, type LogEvent, type PlacedEvent } from '@logloom/schemas';
import { Normalizer } from '../services/ingest/src/event/normalize.ts';
import { readEvent } from '../services/ingest/src/event/read-event.ts';
import { markCanary } from '../services/ingest/src/pipeline/mark-canary.ts';
import { printConditions } from './conditions.ts';

// What does the canary cost the events of others? CPU time for each event in ingest (a line becomes a framed record) and in a reader (a
// record becomes a placed event), with and without the look that finds the canary's. Usage: node bench/canary.ts [rounds, default 40]

const eventCount = 20_000;
const rounds = Number(process.argv[2] ?? 40);

const lines = Array.from({ length: eventCount }, (_, i) =>
  JSON.stringify({
    time: new Date(1_790_000_000_000 + i).toISOString(),
    level: i % 50 === 0 ? 'error' : 'info',
    // Some are as long as the canary's.
    service: ['checkout', 'payment', 'logloom-worker', 'inventory'][i % 4],
    message: `GET /api/v1/orders/${i} answered in ${i % 97} ms`,
    traceId: `741fa7ccaec683f1f39e3ec7${String(i >> 3).padStart(8, '0')}`,
    http: { status: 200, route: '/api/v1/orders/:id' },
  }),
);
const serde = await createSerde(createEmbeddedSchemaRegistry());
const normalizer = new Normalizer([]);
const seal = new CanarySeal('a secret of at least 32 characters');

function eventOf(line: string, i: number): LogEvent {
  const source = { kind: 'http', topic: 'bench', partition: 0, offset: i, index: 0 };
  const event = readEvent(line, source, 1_790_000_000_000, normalizer);
  if ('code' in event) throw new Error(event.message);
  return event;
}

const values = lines.map((line, i) => serde.encode('LogEvent', eventOf(line, i)));
await serde.load(values.slice(0, 1));

function ingest(isChecked: boolean): number {
  let bytes = 0;
  for (let i = 0; i < lines.length; i++) {
    const event = eventOf(lines[i]!, i);
    const marked = isChecked ? markCanary(event, seal) : undefined;
    bytes += serde.encode('LogEvent', marked ?? event).length;
  }
  return bytes;
}

function read(isChecked: boolean): number {
  const events: PlacedEvent[] = [];
  const canary: PlacedEvent[] = [];
  for (const [i, value] of values.entries()) {
    const decoded = serde.decode(value);
    if (decoded.name !== 'LogEvent') continue;
    const owner = isChecked && isCanaryEvent(decoded.value) ? canary : events;
    owner.push(placeEvent(decoded.value, 'bench', 0, i));
  }
  return events.length;
}

/** Microseconds of CPU for each event. */
function cost(run: () => number): number {
  const before = process.cpuUsage();
  if (run() === 0) throw new Error('nothing was done');
  return process.cpuUsage(before).user / eventCount;
}

printConditions(
  `${eventCount} events a round, ${rounds} rounds in turns, the median of each; µs of CPU an event`,
);
for (const [name, run] of [
  ['ingest', ingest],
  ['reader', read],
] as const) {
  const without: number[] = [];
  const again: number[] = [];
  const checked: number[] = [];
  for (let round = 0; round < rounds; round++) {
    without.push(cost(() => run(false)));
    checked.push(cost(() => run(true)));
    again.push(cost(() => run(false)));
  }
  const [a, b, c] = [without, again, checked].map(median) as [number, number, number];
  console.log(
    `${name}: without ${a.toFixed(3)} and ${b.toFixed(3)}, with ${c.toFixed(3)}: ${((2 * c) / (a + b)).toFixed(3)} times`,
  );
}

function median(figures: number[]): number {
  return figures.sort((a, b) => a - b)[figures.length >> 1]!;
}
