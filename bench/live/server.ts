/**
 * The live tier as a rival among rivals: POST /ingest takes the load test's events and POST /publish those of the other benches, one a line. It writes each as the
 * Avro record that the log would hold and hands it to the tier's follow() callback; viewers connect at /live. `node bench/live/server.ts [host:port]
 * [--buffer bytes] [--total bytes] [--heartbeat ms]`: LIVE_BUFFER_BYTES, LIVE_TOTAL_BUFFER_BYTES, and how soon a dead peer is noticed.
 */
import type { EventLog, FollowOptions, LogRecord } from '@logloom/event-log';
import { createLiveTier, keepYoungGenerationSmall } from '@logloom/fanout';
import { createEmbeddedSchemaRegistry, createSerde } from '@logloom/schema-registry';
import { topics, type LogEvent } from '@logloom/schemas';
import { createTelemetry } from '@logloom/telemetry';
import fastify from 'fastify';
import { once } from 'node:events';
import { option } from './option.ts';
import { benchEvent, sentEvent } from './sent-event.ts';

/** Of the benches that publish themselves. */
interface PublishedEvent {
  t: number;
  n: number;
  service: string;
  traceId: string;
  msg: string;
}

// As services/fanout/src/main.ts does.
keepYoungGenerationSmall();
const serde = await createSerde(createEmbeddedSchemaRegistry());
let offset = 0;

function published(line: string, at: number): LogEvent {
  const { t, n, service, traceId, msg } = JSON.parse(line) as PublishedEvent;
  return benchEvent(at, {
    timestamp: t,
    receivedAt: Math.floor(t / 1000),
    service,
    message: msg,
    correlationId: traceId,
    correlationKind: 'traceId',
    traceId,
    attributes: `{"t":${t},"n":${n}}`,
  });
}

function record(event: LogEvent): LogRecord {
  return {
    topic: topics.events,
    partition: 0,
    offset: offset++,
    timestampMs: Date.now(),
    key: null,
    value: serde.encode('LogEvent', event),
    headers: {},
  };
}

const following = Promise.withResolvers<FollowOptions['onBatch']>();
// What the tier asks of a log that is empty when it starts.
const log = {
  epoch: 'bench',
  epochOf: async () => 'bench',
  startOffsets: async () => [0],
  endOffsets: async () => [offset],
  follow: async ({ topic, onBatch }: FollowOptions, signal: AbortSignal) => {
    if (topic === topics.events) following.resolve(onBatch);
    if (!signal.aborted) await once(signal, 'abort');
  },
} as unknown as EventLog;

const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
// Nobody is to be left out here: NATS queues 64 MB for a viewer, and `ws` as much as there is.
const settings = {
  LIVE_FLUSH_MS: 25,
  LIVE_BUFFER_BYTES: option('buffer', 1 << 25),
  LIVE_TOTAL_BUFFER_BYTES: option('total', 1 << 29),
};
const telemetry = createTelemetry('bench', 'silent');
const options = { heartbeatMs: option('heartbeat', 15_000) };
const tier = createLiveTier({ log, serde, settings, telemetry, options });
const app = fastify({ logger: false, bodyLimit: 1 << 26 });
app.addContentTypeParser('application/x-ndjson', { parseAs: 'string' }, (_request, body, done) =>
  done(null, body),
);
async function append(body: unknown, eventOf: typeof sentEvent): Promise<number> {
  const onBatch = await following.promise;
  const lines = typeof body === 'string' ? body.split('\n').filter((line) => line !== '') : [];
  const records = lines.map((line) => record(eventOf(line, offset)));
  if (records.length > 0) await onBatch(records, 0);
  return records.length;
}

app.post('/publish', async ({ body }) => {
  await append(body, published);
  return '';
});
app.post('/ingest', async ({ body }) => ({ accepted: await append(body, sentEvent), rejected: [] }));
tier.attach(app);
const [host = '127.0.0.1', port = '9105'] = (process.argv[2] ?? '').split(':').filter((part) => part !== '');
await app.listen({ host, port: Number(port), backlog: 4096 });
await tier.run(stop.signal);
await app.close();
process.exit();
