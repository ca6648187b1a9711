// One event's way through all services is one trace: the one-process pipeline, and a real Zipkin.
import { SqliteEventLog } from '@logloom/event-log';
import { topics } from '@logloom/schemas';
import { parseSettings } from '../../apps/logloom/src/settings.ts';
import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startStack } from '../../infra/local/start-stack.ts';
import { Pipeline } from '../pipeline/pipeline.ts';

const stack = await startStack({ only: ['zipkin'] });
after(() => stack.stop());
const skip = stack.missing.zipkin ?? false;

interface ZipkinSpan {
  id: string;
  parentId?: string;
  name: string;
  kind?: string;
  localEndpoint: { serviceName: string };
  tags: Record<string, string>;
}

// The spans are sent by the drain alone: so it is tested too.
const settings = {
  CORRELATION_IDLE_MS: '200',
  OTEL_BSP_SCHEDULE_DELAY: '600000',
  OTEL_TRACES_EXPORTER: 'zipkin',
  OTEL_EXPORTER_ZIPKIN_ENDPOINT: stack.env['OTEL_EXPORTER_ZIPKIN_ENDPOINT'] ?? '',
  // Who does not ask for a trace begins none.
  OTEL_TRACES_SAMPLER: 'parentbased_always_off',
};

test('one event with a traceparent is one trace across all four services', { skip }, async () => {
  const traceId = randomBytes(16).toString('hex');
  const caller = randomBytes(8).toString('hex');
  await using pipeline = await Pipeline.create(settings);
  await pipeline.start();
  const viewer = new AbortController();
  const live = await fetch(`${pipeline.viewersUrl}/live/sse?filter=service:traced`, {
    signal: viewer.signal,
  });
  const reader = live.body!.getReader();
  await reader.read();

  const untraced = await pipeline.ingest(JSON.stringify({ message: 'without', correlationId: 'b' }));
  const traced = await pipeline.ingest(
    JSON.stringify({ message: 'with', service: 'traced', correlationId: 'a' }),
    { traceparent: `00-${traceId}-${caller}-01` },
  );
  assert.deepEqual([untraced.status, traced.status], [200, 200]);
  await eventually('both documents indexed', async () => {
    const { total } = await pipeline.get<{ total: { value: number } }>('/api/correlations');
    return total.value === 2;
  });
  await pipeline.untilDone();
  viewer.abort();
  assert.equal(await pipeline.end('SIGTERM'), 0, pipeline.errors);

  const spans = await readTrace(traceId);
  const named = spans.map((span) => `${span.localEndpoint.serviceName}: ${span.name}`).sort();
  assert.deepEqual(named, [
    'logloom-correlator: process logs.events',
    'logloom-correlator: send logs.correlations',
    'logloom-fanout: broadcast',
    'logloom-fanout: broadcast',
    'logloom-fanout: process logs.correlations',
    'logloom-fanout: process logs.events',
    'logloom-indexer: archive',
    'logloom-indexer: archive',
    'logloom-indexer: index',
    'logloom-indexer: index',
    'logloom-indexer: process logs.correlations',
    'logloom-indexer: process logs.events',
    'logloom-ingest: normalize',
    'logloom-ingest: post /ingest',
    'logloom-ingest: send logs.events',
  ]);

  const byId = new Map(spans.map((span) => [span.id, span]));
  const parentOf = (span: ZipkinSpan): string =>
    span.parentId === caller ? 'the caller' : (byId.get(span.parentId ?? '')?.name ?? 'unknown');
  const parents = (name: string): string[] => spans.filter((span) => span.name === name).map(parentOf);
  assert.deepEqual(parents('post /ingest'), ['the caller']);
  assert.deepEqual(parents('send logs.events'), ['post /ingest']);
  assert.deepEqual(parents('process logs.events'), Array(3).fill('post /ingest'));
  assert.deepEqual(parents('send logs.correlations'), ['process logs.events']);
  assert.deepEqual(parents('process logs.correlations'), Array(2).fill('process logs.events'));
  assert.deepEqual(parents('index').sort(), ['process logs.correlations', 'process logs.events']);
  assert.deepEqual(parents('broadcast').sort(), ['process logs.correlations', 'process logs.events']);

  const receive = spans.find(({ name }) => name === 'post /ingest')!;
  assert.equal(receive.kind, 'SERVER');
  assert.equal(receive.tags['http.response.status_code'], '200');
  const broadcast = spans.find(
    (span) => span.name === 'broadcast' && parentOf(span) === 'process logs.events',
  );
  const { 'logloom.viewers': viewers, 'logloom.deliveries': deliveries } = broadcast!.tags;
  assert.deepEqual([viewers, deliveries], ['1', '1']);
});

test('a record of logs.raw with a traceparent is a trace across all services, too', { skip }, async () => {
  const traceId = randomBytes(16).toString('hex');
  const caller = randomBytes(8).toString('hex');
  await using pipeline = await Pipeline.create(settings);
  await produceRaw(pipeline.dataFolder, { message: 'with' }, `00-${traceId}-${caller}-01`);
  await pipeline.start();
  await eventually('indexed', async () => {
    const { counts } = await pipeline.get<{ counts: Record<string, number> }>('/api/status');
    return counts['events'] === 1;
  });
  await pipeline.untilDone();
  assert.equal(await pipeline.end('SIGTERM'), 0, pipeline.errors);
  const spans = await readTrace(traceId);
  const raw = spans.find(({ name }) => name === 'process logs.raw');
  assert.equal(raw?.parentId, caller);
  for (const name of ['send logs.events', 'process logs.events'])
    for (const span of spans.filter((found) => found.name === name))
      assert.equal(span.parentId, raw.id, name);
});

test('a collector that is unreachable costs a warning a service, and no event', async () => {
  await using pipeline = await Pipeline.create({
    OTEL_TRACES_EXPORTER: '',
    OTEL_EXPORTER_OTLP_ENDPOINT: await closedAddress(),
    OTEL_BSP_SCHEDULE_DELAY: '50',
    CORRELATION_IDLE_MS: '200',
  });
  await pipeline.start();
  const batches = 20;
  for (let batch = 0; batch < batches; batch++) {
    const response = await pipeline.ingest(
      Array.from({ length: 50 }, (_, i) =>
        JSON.stringify({ message: `event ${i}`, correlationId: `${batch}` }),
      ).join('\n'),
    );
    assert.equal(response.status, 200);
  }
  await eventually('all events indexed', async () => {
    const { counts } = await pipeline.get<{ counts: Record<string, number> }>('/api/status');
    return counts['events'] === batches * 50;
  });
  assert.equal(await pipeline.end('SIGTERM'), 0, pipeline.errors);
  const warnings = pipeline.errors
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { level: number; service: string; exporter?: string })
    .filter(({ exporter }) => exporter === 'otlp');
  const services = warnings.map(({ service }) => service).sort();
  assert.deepEqual(services, [...new Set(services)]);
  assert.ok(services.includes('ingest'), pipeline.errors);
});

/** Appends to logs.raw before the pipeline runs. */
async function produceRaw(dataFolder: string, event: object, traceparent: string): Promise<void> {
  const log = new SqliteEventLog(join(dataFolder, 'log'));
  await log.createTopics([{ name: topics.raw, partitions: parseSettings({}).LOG_PARTITIONS }]);
  const value = Buffer.from(JSON.stringify(event));
  await log.append(topics.raw, [{ partition: 0, key: null, value, headers: { traceparent } }]);
  await log.close();
}

/** What Zipkin has of a trace, once it has all services of it. */
async function readTrace(traceId: string): Promise<ZipkinSpan[]> {
  const url = new URL(`/api/v2/trace/${traceId}`, settings.OTEL_EXPORTER_ZIPKIN_ENDPOINT);
  let spans: ZipkinSpan[] = [];
  await eventually('the trace of four services in Zipkin', async () => {
    const response = await fetch(url);
    if (!response.ok) return false;
    spans = (await response.json()) as ZipkinSpan[];
    return new Set(spans.map(({ localEndpoint }) => localEndpoint.serviceName)).size >= 4;
  });
  return spans;
}

async function closedAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}
