import { RejectedError } from '../../errors.ts';
import { noAttributes, type Attributes } from './otlp-record.ts';

/** Something that happened during a span, e.g. an exception. */
export interface OtlpSpanEvent {
  /** Since 1970; 0 for unknown. */
  timeNanos: bigint;
  name: string;
  attributes: Attributes;
}

/** Another span that a span names, of this trace or another one. */
export interface OtlpSpanLink {
  /** Hexadecimal, in lower case. */
  traceId: string;
  spanId: string;
  attributes: Attributes;
}

/** A Span of OTLP, from either encoding. Missing fields have protobuf's defaults. */
export interface OtlpSpan {
  /** Hexadecimal, in lower case. */
  traceId: string;
  spanId: string;
  parentSpanId: string;
  traceState: string;
  flags: number;
  name: string;
  /** SpanKind: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind: number;
  /** Since 1970; 0 for unknown. */
  startNanos: bigint;
  endNanos: bigint;
  attributes: Attributes;
  droppedAttributesCount: number;
  events: OtlpSpanEvent[];
  links: OtlpSpanLink[];
  /** 1 ok, 2 error. */
  statusCode: number;
  statusMessage: string;
}

/** Parts of one span beyond this many are an attack, or an error of the sender. */
const maxParts = 10_000;

/** Returns a span with protobuf's defaults. */
export function emptySpan(): OtlpSpan {
  return {
    traceId: '',
    spanId: '',
    parentSpanId: '',
    traceState: '',
    flags: 0,
    name: '',
    kind: 0,
    startNanos: 0n,
    endNanos: 0n,
    attributes: noAttributes(),
    droppedAttributesCount: 0,
    events: [],
    links: [],
    statusCode: 0,
    statusMessage: '',
  };
}

/** Throws RejectedError `event-too-large` when a span has too many events or links. */
export function limitParts(parts: readonly unknown[]): void {
  if (parts.length > maxParts)
    throw new RejectedError('event-too-large', `the span has more than ${maxParts} events or links`);
}
