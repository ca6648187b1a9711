import {
  AlwaysOffSampler,
  InMemorySpanExporter,
  ParentBasedSampler,
  SimpleSpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useContextManager } from './otel-provider.ts';
import { maxLinks, OtelTracing } from './otel-tracing.ts';
import { messagingSpan, noTracing, type Carrier, type SpanSpec } from './tracing.ts';

useContextManager();

const request: SpanSpec = { name: 'POST /ingest', kind: 'server' };
const processBatch = messagingSpan('process', 'logs.events', 'indexer');
const inner: SpanSpec = { name: 'inner', kind: 'internal' };

const hex = (n: number, length: number): string => n.toString(16).padStart(length, '0');
const traceparent = (trace: number, span: number, sampled = true): string =>
  `00-${hex(trace, 32)}-${hex(span, 16)}-${sampled ? '01' : '00'}`;
const record = (trace: number, span: number, sampled = true): Carrier => ({
  headers: { traceparent: traceparent(trace, span, sampled) },
});

/** Tracing on the real SDK, and the spans that it has finished, by name. */
function traced(rootRatio = 1) {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
    sampler: new ParentBasedSampler({
      root: rootRatio === 0 ? new AlwaysOffSampler() : new TraceIdRatioBasedSampler(rootRatio),
    }),
  });
  const span = (name: string): ReadableSpan => {
    const found = exporter.getFinishedSpans().filter((finished) => finished.name === name);
    assert.equal(found.length, 1, `spans named ${name}`);
    return found[0]!;
  };
  return { tracing: new OtelTracing(provider, 'kafka'), span, spans: () => exporter.getFinishedSpans() };
}

test('a request continues the trace of its caller, and what it writes carries the trace on', async () => {
  const { tracing, span } = traced();
  const carried = await tracing.receive(request, traceparent(7, 8), async () => {
    await tracing.child(inner, async (active) => active.set({ events: 3 }));
    assert.equal(tracing.headers(), tracing.headers(), 'one object for all records');
    return tracing.headers();
  });
  const { spanId } = span('POST /ingest').spanContext();
  assert.equal(span('POST /ingest').parentSpanContext?.spanId, hex(8, 16));
  assert.equal(carried?.['traceparent'], `00-${hex(7, 32)}-${spanId}-01`);
  assert.equal(span('inner').parentSpanContext?.spanId, spanId);
  assert.equal(span('inner').attributes['events'], 3);
  assert.equal(tracing.headers(), undefined, 'outside');
});

test('without a caller the sampler decides; an unsampled caller is not traced, whatever it says', () => {
  const all = traced(1);
  all.tracing.receive(request, undefined, (span) => assert.ok(span.isRecording));
  all.tracing.receive(request, 'nonsense', (span) => assert.ok(span.isRecording));
  all.tracing.receive(request, traceparent(7, 8, false), (span) => {
    assert.ok(!span.isRecording);
    assert.equal(all.tracing.headers(), undefined);
    all.tracing.child(inner, (child) => assert.ok(!child.isRecording));
  });
  assert.equal(all.spans().length, 2);
  const none = traced(0);
  none.tracing.receive(request, undefined, (span) => assert.ok(!span.isRecording));
  none.tracing.receive(request, traceparent(7, 8), (span) => assert.ok(span.isRecording));
  assert.equal(none.spans().length, 1);
});

test('a batch is one span: a child of the first sampled record, with links to the other requests', async () => {
  const { tracing, span, spans } = traced();
  const records = [{}, record(9, 9, false), record(1, 10), record(1, 10), record(2, 20), record(1, 11)];
  await tracing.batch(processBatch, records, async () => {});
  assert.equal(spans().length, 1);
  const batch = span('process logs.events');
  assert.equal(batch.spanContext().traceId, hex(1, 32));
  assert.equal(batch.parentSpanContext?.spanId, hex(10, 16));
  assert.deepEqual(
    batch.links.map(({ context }) => [context.traceId, context.spanId]),
    [
      [hex(2, 32), hex(20, 16)],
      [hex(1, 32), hex(11, 16)],
    ],
  );
  assert.equal(batch.attributes['messaging.system'], 'kafka');
  assert.equal(batch.attributes['messaging.destination.name'], 'logs.events');
  assert.equal(batch.attributes['messaging.consumer.group.name'], 'indexer');
});

test('links are capped', () => {
  const { tracing, span } = traced();
  const records = Array.from({ length: 5000 }, (_, i) => record(i + 1, i + 1));
  tracing.batch(processBatch, records, () => {});
  assert.equal(span('process logs.events').links.length, maxLinks);
});

test('a batch without a sampled record has no span, also inside of work that has one', () => {
  const { tracing, spans } = traced();
  tracing.batch(processBatch, [{}, record(1, 1, false)], (span) => assert.ok(!span.isRecording));
  tracing.receive(request, undefined, () => {
    tracing.batch(processBatch, [{}], (span) => {
      assert.ok(!span.isRecording);
      assert.deepEqual(tracing.logFields(), {});
      assert.equal(tracing.headers(), undefined);
    });
  });
  assert.deepEqual(
    spans().map(({ name }) => name),
    ['POST /ingest'],
  );
});

test('what is made of a record stays in its trace: in the batch span, or in its own', () => {
  const { tracing, span } = traced();
  const own = record(2, 20);
  const made = tracing.batch(processBatch, [record(1, 10), own], () =>
    [record(1, 10), own, record(3, 30, false), {}].map((carrier) => tracing.headersFor(carrier)),
  );
  const { spanId } = span('process logs.events').spanContext();
  assert.deepEqual(made, [
    { traceparent: `00-${hex(1, 32)}-${spanId}-01` },
    own.headers,
    undefined,
    undefined,
  ]);
});

test('an error passes through and marks the span; what a caller did wrong does not', async () => {
  const { tracing, span } = traced();
  const broken = Object.assign(new Error('log away'), { code: 'log-unavailable' });
  await assert.rejects(
    tracing.receive(request, undefined, async () => Promise.reject(broken)),
    broken,
  );
  assert.equal(span('POST /ingest').attributes['error.type'], 'log-unavailable');
  assert.deepEqual(span('POST /ingest').status, { code: 2, message: 'log away' });
  const wrong = Object.assign(new Error('empty'), { code: 'empty-body', status: 400 });
  assert.throws(
    () =>
      tracing.receive(inner, undefined, () => {
        throw wrong;
      }),
    wrong,
  );
  assert.equal(span('inner').status.code, 0);
  assert.equal(span('inner').attributes['error.type'], 'empty-body');
});

test('two services in one thread keep their spans apart', () => {
  const [one, two] = [traced(), traced()];
  one.tracing.receive(request, undefined, () => two.tracing.child(inner, () => {}));
  assert.deepEqual([one.spans().length, two.spans().length], [1, 1]);
  assert.equal(two.span('inner').spanContext().traceId, one.span('POST /ingest').spanContext().traceId);
});

test('tracing that is off runs the work and nothing more', async () => {
  const result = await noTracing.receive(request, traceparent(1, 1), async (span) => {
    span.set({ ignored: 1 });
    return noTracing.batch(processBatch, [record(1, 1)], () => noTracing.child(inner, () => 42));
  });
  assert.equal(result, 42);
  assert.equal(noTracing.headersFor(record(1, 1)), undefined);
});
