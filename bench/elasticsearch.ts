/**
 * How many events a second does the Elasticsearch search store take, beside the ceiling of the same server: the client's own bulk
 * with bodies that were made before the clock started, of the same documents, in requests of the same size, as many at once. What
 * lies between is the making of the documents and the reading of the answers. Both take turns in one run, on indices of their own.
 *
 *     node bench/elasticsearch.ts [events]
 */
import { startStack } from '../infra/local/start-stack.ts';
import { createEvent } from '../libs/search-store/src/elasticsearch/actions.ts';
import { eventIndex } from '../libs/search-store/src/elasticsearch/indices.ts';
import {
  openTestStore,
  testEvent,
  type TestStore,
} from '../libs/search-store/src/testing/elasticsearch-test-store.ts';
import { printConditions } from './conditions.ts';

const count = Number(process.argv[2] ?? 20_000);
/** The indexer's own bulks are of up to so many events. */
const batch = 10_000;
const maxDocuments = 2000;
const inFlight = 4;
const rounds = 3;

const events = Array.from({ length: count }, (_, i) =>
  testEvent(i, 1_714_521_600_000_000 + i * 1000, {
    service: `service-${i % 12}`,
    host: `10.0.0.${i % 30}`,
    level: i % 50 === 0 ? 'error' : 'info',
    message: `request ${i} of user ${i % 977} for /orders/${i % 311} took ${i % 90} ms and left ${i % 7} items in the cart`,
    traceId: (i >> 4).toString(16).padStart(32, '0'),
    correlationId: (i >> 4).toString(16).padStart(32, '0'),
    correlationKind: 'traceId',
    attributes: JSON.stringify({
      http: { status: 200 + (i % 300), path: `/orders/${i % 311}` },
      user: i % 977,
    }),
  }),
);

await using stack = await startStack({ only: ['elasticsearch'], throughput: true });
if (stack.missing.elasticsearch === undefined) await compare(stack.env['ELASTICSEARCH_URL']!);
else {
  console.log(stack.missing.elasticsearch);
  process.exitCode = 1;
}

async function compare(url: string): Promise<void> {
  const contenders = { 'rival: client.bulk, prebuilt': prebuilt, 'search store': throughStore };
  const results = new Map<string, { wall: number; cpu: number }[]>();
  // The first round warms the server's compiler.
  for (let round = 0; round <= rounds; round++) {
    for (const [name, write] of Object.entries(contenders)) {
      await using own = openTestStore(url, { bulk: { maxDocuments, inFlight } });
      // Puts the templates and makes the index.
      await own.store.index([{ ...events[0]!, id: 'first' }]);
      const result = await write(own);
      await own.client.indices.refresh({ index: own.names.events });
      const stored = await own.store.counts();
      if (stored.events !== count + 1) throw new Error(`${name}: ${stored.events} of ${count + 1} are there`);
      if (round > 0) results.set(name, [...(results.get(name) ?? []), result]);
    }
  }
  report(results);
}

async function throughStore({ store }: TestStore) {
  return measure(async () => {
    for (let start = 0; start < count; start += batch) await store.index(events.slice(start, start + batch));
  });
}

async function prebuilt({ client, names }: TestStore) {
  const bodies: string[] = [];
  for (let start = 0; start < count; start += maxDocuments)
    bodies.push(
      events
        .slice(start, start + maxDocuments)
        .map((event) => createEvent(eventIndex(names, event), event))
        .join('\n'),
    );
  return measure(async () => {
    const perBatch = batch / maxDocuments;
    for (let start = 0; start < bodies.length; start += perBatch) {
      const rest = bodies.slice(start, start + perBatch);
      const sendRest = async (): Promise<void> => {
        for (let body = rest.shift(); body !== undefined; body = rest.shift()) {
          const response = await client.bulk<string>({ operations: [body] });
          if (response.errors) throw new Error('a document was not taken');
        }
      };
      await Promise.all(Array.from({ length: inFlight }, sendRest));
    }
  });
}

async function measure(work: () => Promise<void>): Promise<{ wall: number; cpu: number }> {
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  await work();
  const wall = performance.now() - startedAt;
  const cpu = process.cpuUsage(cpuBefore);
  return { wall, cpu: (cpu.user + cpu.system) / 1000 };
}

function report(results: ReadonlyMap<string, readonly { wall: number; cpu: number }[]>): void {
  const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;
  printConditions(
    `${count} events, ${batch} a call, ${maxDocuments} a request, ${inFlight} requests at once, median of ${rounds} after a warm-up; ` +
      `the server has the same cores\n`,
  );
  console.log('                                events/s   client CPU µs/event   of rival');
  const ceiling = median([...results.values()][0]!.map(({ wall }) => wall));
  for (const [name, measured] of results) {
    const wall = median(measured.map((result) => result.wall));
    const cpu = ((median(measured.map((result) => result.cpu)) * 1000) / count).toFixed(1);
    const perSecond = String(Math.round((count / wall) * 1000));
    const share = `${Math.round((ceiling / wall) * 100)} %`;
    console.log(`${name.padEnd(30)}${perSecond.padStart(10)}${cpu.padStart(22)}${share.padStart(11)}`);
  }
}
