import {
  context,
  createContextKey,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Context,
  type Link,
  type Span,
  type SpanContext,
  type Tracer,
} from '@opentelemetry/api';
import type { TracerProvider } from '@opentelemetry/sdk-trace';
import { globalAgent as httpAgent } from 'node:http';
import { globalAgent as httpsAgent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatTraceparent, parseTraceparent, traceparentHeader } from './traceparent.ts';
import {
  noSpan,
  type ActiveSpan,
  type Carrier,
  type SpanAttributes,
  type SpanSpec,
  type TraceHeaders,
  type Tracing,
} from './tracing.ts';

export const maxLinks = 32;
const stopMs = 2_000;

const kinds = {
  server: SpanKind.SERVER,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  client: SpanKind.CLIENT,
  internal: SpanKind.INTERNAL,
} as const;

const activeKey = createContextKey('logloom span');

/** An active span, and the headers that carry it. */
class RecordingSpan implements ActiveSpan {
  readonly isRecording = true;
  readonly span: Span;
  #headers: TraceHeaders | undefined;

  constructor(span: Span) {
    this.span = span;
  }

  get headers(): TraceHeaders {
    const { traceId, spanId } = this.span.spanContext();
    return (this.#headers ??= { [traceparentHeader]: formatTraceparent({ traceId, spanId, sampled: true }) });
  }

  set(attributes: SpanAttributes): void {
    this.span.setAttributes(attributes);
  }

  /** A caller's error (HTTP 4xx) is not a failure of the work. */
  fail(error: unknown): void {
    const { code, name, message, status } = error as Partial<Error & { code: string; status: number }>;
    this.span.setAttribute('error.type', code ?? name ?? 'unknown');
    if (status !== undefined && status < 500) return;
    this.span.setStatus({ code: SpanStatusCode.ERROR, message: message ?? String(error) });
  }
}

/** Tracing on the OpenTelemetry SDK. */
export class OtelTracing implements Tracing {
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;
  readonly #messagingSystem: string;

  constructor(provider: TracerProvider, messagingSystem: string) {
    this.#provider = provider;
    this.#tracer = provider.getTracer('logloom');
    this.#messagingSystem = messagingSystem;
  }

  receive<T>(spec: SpanSpec, traceparent: string | undefined, work: (span: ActiveSpan) => T): T {
    const caller = traceparent === undefined ? undefined : spanContext(traceparent);
    return this.#run(spec, caller === undefined ? ROOT_CONTEXT : parentContext(caller), [], work);
  }

  batch<T>(spec: SpanSpec, carriers: readonly Carrier[], work: (span: ActiveSpan) => T): T {
    const [first, ...others] = sampledContexts(carriers);
    if (first === undefined) return withoutSpan(work);
    const links = others.map((other) => ({ context: other }));
    return this.#run(spec, parentContext(first), links, work);
  }

  child<T>(spec: SpanSpec, work: (span: ActiveSpan) => T): T {
    if (active() === undefined) return work(noSpan);
    return this.#run(spec, context.active(), [], work);
  }

  headers(): TraceHeaders | undefined {
    return active()?.headers;
  }

  headersFor({ headers }: Carrier): TraceHeaders | undefined {
    const text = headers?.[traceparentHeader];
    const position = text === undefined ? undefined : parseTraceparent(text);
    if (position?.sampled !== true) return undefined;
    const current = active();
    return current?.span.spanContext().traceId === position.traceId
      ? current.headers
      : { [traceparentHeader]: text! };
  }

  logFields(): Record<string, string> {
    const current = active()?.span.spanContext();
    return current === undefined ? {} : { trace_id: current.traceId, span_id: current.spanId };
  }

  async stop(): Promise<void> {
    const sent = this.#provider.shutdown().then(
      () => true,
      // The exporter has reported it.
      () => true,
    );
    if ((await Promise.race([sent, sleep(stopMs, false, { ref: false })])) === true) return;
    // The Zipkin exporter waits forever for its answer, and only it uses these sockets: the process could not exit.
    httpAgent.destroy();
    httpsAgent.destroy();
  }

  #run<T>(spec: SpanSpec, parent: Context, links: Link[], work: (span: ActiveSpan) => T): T {
    const isMessaging = spec.kind === 'producer' || spec.kind === 'consumer';
    const attributes = isMessaging
      ? { 'messaging.system': this.#messagingSystem, ...spec.attributes }
      : { ...spec.attributes };
    const span = this.#tracer.startSpan(spec.name, { kind: kinds[spec.kind], attributes, links }, parent);
    if (!span.isRecording()) return withoutSpan(work);
    const recording = new RecordingSpan(span);
    const inside = trace.setSpan(parent, span).setValue(activeKey, recording);
    return context.with(inside, () => untilDone(recording, work));
  }
}

function active(): RecordingSpan | undefined {
  return context.active().getValue(activeKey) as RecordingSpan | undefined;
}

/** A traced request may have started a loop that works for many requests: its span must not stay active for the others. */
function withoutSpan<T>(work: (span: ActiveSpan) => T): T {
  return active() === undefined ? work(noSpan) : context.with(ROOT_CONTEXT, () => work(noSpan));
}

/** Runs the work and ends its span, for asynchronous work when its promise settles. */
function untilDone<T>(recording: RecordingSpan, work: (span: ActiveSpan) => T): T {
  let result: T;
  try {
    result = work(recording);
  } catch (error) {
    recording.fail(error);
    recording.span.end();
    throw error;
  }
  if (!(result instanceof Promise)) {
    recording.span.end();
    return result;
  }
  return result.then(
    (value: unknown) => {
      recording.span.end();
      return value;
    },
    (error: unknown) => {
      recording.fail(error);
      recording.span.end();
      throw error;
    },
  ) as T;
}

/** The sampled contexts among the carriers', each once, in their order: the parent and at most `maxLinks` more. */
function sampledContexts(carriers: readonly Carrier[]): SpanContext[] {
  const contexts: SpanContext[] = [];
  const seen = new Set<string>();
  let last: string | undefined;
  for (const { headers } of carriers) {
    const text = headers?.[traceparentHeader];
    // Records of one request are adjacent.
    if (text === undefined || text === last) continue;
    last = text;
    if (seen.has(text)) continue;
    seen.add(text);
    const found = spanContext(text);
    if (found === undefined || (found.traceFlags & TraceFlags.SAMPLED) === 0) continue;
    contexts.push(found);
    if (contexts.length > maxLinks) break;
  }
  return contexts;
}

function spanContext(traceparent: string): SpanContext | undefined {
  const position = parseTraceparent(traceparent);
  if (position === undefined) return undefined;
  const { traceId, spanId, sampled } = position;
  return { traceId, spanId, isRemote: true, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE };
}

function parentContext(parent: SpanContext): Context {
  return trace.setSpanContext(ROOT_CONTEXT, parent);
}
