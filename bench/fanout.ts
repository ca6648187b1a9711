/**
 * What does it cost to bring an event to a viewer?
 * Rival, in the same run: the plain broadcast on `ws`: each viewer's own filter is evaluated, and each match is one send(). Both get
 * the same records from the same in-memory log, and read on only while no socket has much queued. `--profile` writes CPU profiles.
 */
import type { EventLog, FollowOptions, LogRecord } from '@logloom/event-log';
import { createLiveTier } from '@logloom/fanout';
import { compilePredicate, FilterSubject, parseFilter, type Predicate } from '@logloom/filter';
import { createEmbeddedSchemaRegistry, createSerde, type Serde } from '@logloom/schema-registry';
import { eventToJson, placeEvent, topics, type LogEvent } from '@logloom/schemas';
import { createTelemetry } from '@logloom/telemetry';
import fastify from 'fastify';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocketServer, type WebSocket } from 'ws';
import { printConditions } from './conditions.ts';

interface Scenario {
  name: string;
  viewers: number;
  filters: number;
  events: number;
  /** Events a second; 0: as many as are taken. */
  rate: number;
}

type Contender = 'logloom' | 'ws';
type Message = Record<string, number>;

const scenarios: Scenario[] = [
  { name: '200 viewers, 20 filters, saturated', viewers: 200, filters: 20, events: 12_000, rate: 0 },
  { name: '1000 viewers, 1 filter, saturated', viewers: 1000, filters: 1, events: 200, rate: 0 },
  { name: '1000 viewers, 1 filter, 100 events/s', viewers: 1000, filters: 1, events: 200, rate: 100 },
];
const rounds = 2;
const batchRecords = 50;
const maxQueuedBytes = 256 * 1024;
const lastService = 'the-end';

function filterText(n: number): string {
  return `service:service-${n} OR service:${lastService}`;
}

function makeEvents({ filters, events }: Scenario): LogEvent[] {
  return Array.from({ length: events }, (_, n) => ({
    source: { kind: 'http', topic: 'bench', partition: 0, offset: n, index: 0 },
    timestamp: 1_700_000_000_000_000 + n,
    receivedAt: 1_700_000_000_000,
    level: 'info',
    service: n === events - 1 ? lastService : `service-${n % filters}`,
    host: 'host-1',
    message: `GET /api/v1/orders/${n} answered 200 in ${n % 977} ms`,
    correlationId: `request-${n >> 3}`,
    correlationKind: 'requestId',
    traceId: null,
    spanId: null,
    attributes: `{"http.status":200,"durationMs":${n % 977}}`,
  }));
}

/** Gives the records to whoever follows, as fast as `sockets` are emptied. */
async function replay(
  scenario: Scenario,
  records: readonly LogRecord[],
  sockets: ReadonlySet<Socket>,
  onBatch: FollowOptions['onBatch'],
): Promise<void> {
  const start = performance.now();
  const size = scenario.rate > 0 ? 1 : batchRecords;
  for (let first = 0; first < records.length; first += size) {
    if (scenario.rate > 0) {
      const wait = start + (first * 1000) / scenario.rate - performance.now();
      if (wait > 0) await sleep(wait);
    }
    await onBatch(records.slice(first, first + size), 0);
    await sleep(0);
    while ([...sockets].some((socket) => socket.writableLength > maxQueuedBytes)) await sleep(1);
  }
}

interface Contestant {
  server: Server;
  stop: () => void;
}

async function startLogloom(serde: Serde, started: Promise<FollowOptions['onBatch']>[]): Promise<Contestant> {
  const app = fastify({ logger: false });
  const stop = new AbortController();
  let follow: (onBatch: FollowOptions['onBatch']) => void = () => {};
  started.push(new Promise((resolve) => (follow = resolve)));
  // What the tier asks of a log that is empty when it starts.
  const log = {
    epoch: 'bench',
    epochOf: async () => 'bench',
    startOffsets: async () => [0],
    endOffsets: async () => [0],
    follow: async ({ topic, onBatch }: FollowOptions, signal: AbortSignal) => {
      if (topic === topics.events) follow(onBatch);
      if (!signal.aborted) await once(signal, 'abort');
    },
  } as unknown as EventLog;
  const settings = { LIVE_FLUSH_MS: 25, LIVE_BUFFER_BYTES: 1 << 20 };
  const tier = createLiveTier({ log, serde, settings, telemetry: createTelemetry('bench', 'silent') });
  tier.attach(app);
  await app.listen({ host: '127.0.0.1', port: 0 });
  void tier.run(stop.signal);
  return { server: app.server, stop: () => stop.abort() };
}

async function startPlain(serde: Serde, started: Promise<FollowOptions['onBatch']>[]): Promise<Contestant> {
  const server = createServer();
  const viewers = new Map<WebSocket, Predicate>();
  new WebSocketServer({ server }).on('connection', (socket) => {
    socket.on('message', (data: Buffer) => {
      const parsed = parseFilter((JSON.parse(data.toString()) as { filter: string }).filter);
      if (!parsed.ok) throw new Error(parsed.error.message);
      viewers.set(socket, compilePredicate(parsed.filter));
      socket.send('{"type":"subscribed"}');
    });
    socket.on('error', () => {});
  });
  started.push(
    Promise.resolve(async (records: LogRecord[]) => {
      await serde.load(records.map(({ value }) => value));
      for (const { value, partition, offset } of records) {
        const decoded = serde.decode(value);
        if (decoded.name !== 'LogEvent') continue;
        const event = placeEvent(decoded.value, 'bench', partition, offset);
        const subject = new FilterSubject(event);
        const json = eventToJson(event);
        for (const [socket, matches] of viewers) if (matches(subject)) socket.send(json);
      }
    }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, stop: () => {} };
}

async function serve(contender: Contender, scenario: Scenario): Promise<void> {
  const serde = await createSerde(createEmbeddedSchemaRegistry());
  const records = makeEvents(scenario).map((event, offset) => ({
    topic: topics.events,
    partition: 0,
    offset,
    timestampMs: 1_700_000_000_000 + offset,
    key: null,
    value: serde.encode('LogEvent', event),
    headers: {},
  }));
  const started: Promise<FollowOptions['onBatch']>[] = [];
  const { server, stop } = await (contender === 'logloom' ? startLogloom : startPlain)(serde, started);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  const onBatch = await started[0]!;
  process.send!({ port: (server.address() as AddressInfo).port });

  await once(process, 'message');
  const cpu = process.cpuUsage();
  const start = performance.now();
  const done = once(process, 'message');
  await replay(scenario, records, sockets, onBatch);
  await done;
  const { user, system } = process.cpuUsage(cpu);
  process.send!({ wallMs: performance.now() - start, cpuMicros: user + system });
  stop();
  server.close();
  for (const socket of sockets) socket.destroy();
  process.disconnect();
}

/** A WebSocket client frame with a mask of zeros, which leaves the payload as it is. */
function clientFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

/** Opens all viewers on raw sockets: `ready` when all are subscribed, `done` when each has the last event. */
async function view({ viewers, filters }: Scenario, port: number): Promise<void> {
  const marker = Buffer.from(lastService);
  const subscribed = Buffer.from('"subscribed"');
  const handshake = `GET /live HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`;
  let open = 0;
  let done = 0;
  let bytes = 0;
  for (let i = 0; i < viewers; i++) {
    const socket = connect(port, '127.0.0.1');
    socket.write(handshake);
    let state: 'handshake' | 'subscribing' | 'live' = 'handshake';
    await new Promise<void>((resolve) =>
      socket.on('data', (chunk) => {
        if (state === 'live') {
          bytes += chunk.length;
          // The last event ends the stream, and is smaller than this.
          if (chunk.subarray(-1024).includes(marker) && ++done === viewers) process.send!({ done, bytes });
        } else if (state === 'handshake') {
          state = 'subscribing';
          const request = { type: 'subscribe', id: 'a', filter: filterText(i % filters) };
          socket.write(clientFrame(JSON.stringify(request)));
        } else if (chunk.includes(subscribed)) {
          state = 'live';
          if (++open === viewers) process.send!({ ready: open });
          resolve();
        }
      }),
    );
    socket.on('error', () => {});
  }
}

function start(role: string[], execArgv: string[] = []): ChildProcess {
  return fork(import.meta.filename, role, { execArgv });
}

async function next(child: ChildProcess): Promise<Message> {
  const [message] = (await once(child, 'message', { signal: AbortSignal.timeout(60_000) })) as [Message];
  return message;
}

/** One run of one contender: deliveries a second and CPU microseconds of the server a delivery. */
async function measure(
  contender: Contender,
  scenario: number,
): Promise<{ perSecond: number; micros: number }> {
  const { viewers, filters, events } = scenarios[scenario]!;
  const profile = process.argv.includes('--profile')
    ? ['--cpu-prof', `--cpu-prof-name=${contender}-${scenario}.cpuprofile`]
    : [];
  const server = start(['serve', contender, String(scenario)], profile);
  const { port } = await next(server);
  const client = start(['view', String(scenario), String(port)]);
  await next(client);
  const done = next(client);
  server.send('go');
  await done;
  const result = next(server);
  server.send('done');
  const { wallMs, cpuMicros } = await result;
  await once(server, 'exit');
  client.kill();
  const deliveries = (viewers / filters) * (events - 1) + viewers;
  return { perSecond: (deliveries / wallMs!) * 1000, micros: cpuMicros! / deliveries };
}

async function main(): Promise<void> {
  printConditions(
    'server and viewers in a process each, loopback; deliveries = events that reached a viewer',
  );
  for (const [s, { name }] of scenarios.entries()) {
    for (let round = 1; round <= rounds; round++) {
      // Each goes first once.
      const order: Contender[] = round % 2 === 1 ? ['logloom', 'ws'] : ['ws', 'logloom'];
      const results = {} as Record<Contender, Awaited<ReturnType<typeof measure>>>;
      for (const contender of order) results[contender] = await measure(contender, s);
      const { logloom, ws } = results;
      const show = ({ perSecond, micros }: typeof ws): string =>
        `${Math.round(perSecond).toLocaleString('en')}/s, ${micros.toFixed(2)} µs CPU each`;
      console.log(
        `${name}, round ${round}: logloom ${show(logloom)} | ws ${show(ws)} | CPU ratio ${(ws.micros / logloom.micros).toFixed(1)}`,
      );
    }
  }
}

const [role, ...args] = process.argv.slice(2);
if (role === 'serve') await serve(args[0] as Contender, scenarios[Number(args[1])]!);
else if (role === 'view') await view(scenarios[Number(args[0])]!, Number(args[1]));
else await main();
