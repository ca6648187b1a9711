export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** A kind of span; each service lists its own in its telemetry.ts. */
export interface SpanSpec {
  name: string;
  kind: 'server' | 'producer' | 'consumer' | 'client' | 'internal';
  attributes?: SpanAttributes;
}

/** A span as seen by the work inside it. Without a span, set() does nothing. */
export interface ActiveSpan {
  readonly isRecording: boolean;
  /** Adds attributes; undefined ones are left out. */
  set(attributes: SpanAttributes): void;
}

export type TraceHeaders = Readonly<Record<string, string>>;

/** A carrier of a trace: a record of the log, or anything that has the headers of tracing.headers(). */
export interface Carrier {
  readonly headers?: TraceHeaders | undefined;
}

/**
 * The spans of a service. A span is created only if the trace is sampled; otherwise only the work runs. An error of the work passes through
 * and marks its span as failed.
 */
export interface Tracing {
  /** Runs the work in a span that continues the caller's trace, or starts one, if the sampler decides so. */
  receive<T>(spec: SpanSpec, traceparent: string | undefined, work: (span: ActiveSpan) => T): T;
  /**
   * Runs the work in one span for a whole batch: a child of the first sampled carrier, with links to the others (at most 32). If no carrier
   * is sampled there is no span: batches never start a trace.
   */
  batch<T>(spec: SpanSpec, carriers: readonly Carrier[], work: (span: ActiveSpan) => T): T;
  /** Runs the work in a child of the active span, if there is one. */
  child<T>(spec: SpanSpec, work: (span: ActiveSpan) => T): T;
  /** The headers that carry the active span; undefined when there is none. The same object for each call within a span. */
  headers(): TraceHeaders | undefined;
  /** The headers for records derived from a carrier: the active span if it belongs to the carrier's trace, else the carrier's own. */
  headersFor(carrier: Carrier): TraceHeaders | undefined;
  /** The active span's ids, for a log line. */
  logFields(): Record<string, string>;
  /** Sends pending spans and stops; takes at most two seconds, whether or not the collector answers. */
  stop(): Promise<void>;
}

/** The span of work that has none. */
export const noSpan: ActiveSpan = { isRecording: false, set: () => {} };

/** Tracing that is off: costs a call. */
export const noTracing: Tracing = {
  receive: (_spec, _traceparent, work) => work(noSpan),
  batch: (_spec, _carriers, work) => work(noSpan),
  child: (_spec, work) => work(noSpan),
  headers: () => undefined,
  headersFor: () => undefined,
  logFields: () => ({}),
  stop: async () => {},
};

/** The attributes of a span for a batch of one partition. */
export function batchAttributes(records: readonly { partition: number; offset: number }[]): SpanAttributes {
  const first = records[0];
  return {
    'messaging.batch.message_count': records.length,
    'messaging.destination.partition.id': first === undefined ? undefined : String(first.partition),
    'logloom.offset.first': first?.offset,
    'logloom.offset.last': records.at(-1)?.offset,
  };
}

/**
 * The span of a message operation on a topic, by OpenTelemetry's messaging conventions; tracing adds `messaging.system`.
 * https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
 */
export function messagingSpan(
  operation: 'send' | 'process',
  topic: string,
  consumerGroup?: string,
): SpanSpec {
  return {
    name: `${operation} ${topic}`,
    kind: operation === 'send' ? 'producer' : 'consumer',
    attributes: {
      'messaging.operation.name': operation,
      'messaging.operation.type': operation,
      'messaging.destination.name': topic,
      'messaging.consumer.group.name': consumerGroup,
    },
  };
}
