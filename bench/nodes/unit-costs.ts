import { createEmbeddedSchemaRegistry, createSerde } from '@logloom/schema-registry';
import { compilePredicate, equalityTerms, FilterSubject, parseFilter } from '@logloom/filter';
import { eventToJson, placeEvent, type LogEvent, type PlacedEvent } from '@logloom/schemas';
import { logEvent } from '@logloom/testing';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { FilterIndex } from '../../services/fanout/src/delivery/filter-index.ts';
import type { LiveFilter } from '../../services/fanout/src/stream/stream-kind.ts';

/** CPU time of one core, kernel included. */
export interface UnitCosts {
  /** Decoding a record of the log and placing its event, µs an event. */
  decodeMicros: number;
  /** Finding the filters that match through the index, µs an event, at `filters` distinct ones of which few match. */
  matchMicros: number;
  /** Writing an event as JSON once, µs an event. */
  encodeMicros: number;
  /** One write of a shared frame to one viewer's socket, µs. */
  writeMicros: number;
  /** Sending and receiving bytes between two processes in pieces of 64 KiB, µs for each KiB on each side. */
  relayMicrosPerKib: number;
  /** Bytes of an event as JSON. */
  eventBytes: number;
}

const sampleEvents = 20_000;
const rounds = 3;

/** Measures what the live tier does for an event and for a delivery, with the code that does it. `filters`: how many are distinct. */
export async function measureUnitCosts(filters: number): Promise<UnitCosts> {
  const serde = await createSerde(createEmbeddedSchemaRegistry());
  const events = Array.from({ length: sampleEvents }, (_, n) => sampleEvent(n));
  const records = events.map((event) => serde.encode('LogEvent', event));
  await serde.load(records);
  const placed: PlacedEvent[] = [];
  const decodeMicros = best(() => {
    placed.length = 0;
    records.forEach((record, offset) => {
      placed.push(placeEvent(serde.decode(record).value as LogEvent, 'bench', 0, offset));
    });
  });
  const index = new FilterIndex<{ filter: LiveFilter }>();
  for (let n = 0; n < filters; n++) index.add({ filter: serviceFilter(n) });
  const matchMicros = best(() => {
    for (const event of placed) index.match(new FilterSubject(event), []);
  });
  let bytes = 0;
  const encodeMicros = best(() => {
    bytes = 0;
    for (const event of placed) bytes += eventToJson(event).length;
  });
  return {
    decodeMicros,
    matchMicros,
    encodeMicros,
    eventBytes: Math.round(bytes / sampleEvents),
    writeMicros: await writeCost(200, 500, 2048),
    relayMicrosPerKib: (await writeCost(1, 4000, 64 * 1024)) / 64,
  };
}

function sampleEvent(n: number): LogEvent {
  return logEvent(n, {
    source: { kind: 'http', topic: 'bench', partition: 0, offset: n, index: 0 },
    service: `service-${n % 997}`,
    host: `host-${n % 50}`,
    message: `GET /api/v1/orders/${n} answered 200 in ${n % 977} ms`,
    correlationId: `request-${n >> 3}`,
    correlationKind: 'requestId',
    attributes: `{"http.status":200,"durationMs":${n % 977}}`,
  });
}

function serviceFilter(n: number): LiveFilter {
  const parsed = parseFilter(`service:service-${n} AND attributes.http.status:>=500`);
  if (!parsed.ok) throw new Error(parsed.error.message);
  const { filter } = parsed;
  return { canonical: filter.canonical, matches: compilePredicate(filter), terms: equalityTerms(filter) };
}

/** µs of CPU for each sample event, of the best round: other work on the machine only adds. */
function best(run: () => void): number {
  let least = Infinity;
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / sampleEvents);
  }
  return least;
}

/** µs of this process's CPU for one write to one socket; another process reads. */
async function writeCost(sockets: number, writes: number, bytes: number): Promise<number> {
  const server = createServer({ noDelay: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const opened: Socket[] = [];
  const all = new Promise<void>((resolve) => {
    server.on('connection', (socket) => {
      socket.on('error', () => {});
      if (opened.push(socket) === sockets) resolve();
    });
  });
  const { port } = server.address() as AddressInfo;
  const reader = fork(join(import.meta.dirname, 'reader.child.ts'), [String(port), String(sockets)]);
  await all;
  const frame = Buffer.alloc(bytes, 'x');
  const before = process.cpuUsage();
  for (let write = 0; write < writes; write++) {
    const full = opened.filter((socket) => !socket.write(frame));
    await Promise.all(full.map((socket) => once(socket, 'drain')));
    await new Promise(setImmediate);
  }
  const { user, system } = process.cpuUsage(before);
  for (const socket of opened) socket.destroy();
  reader.kill();
  await once(reader, 'exit');
  server.close();
  return (user + system) / (sockets * writes);
}
