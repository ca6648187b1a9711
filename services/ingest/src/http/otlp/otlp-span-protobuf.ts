import { fixed32, fixed64, MessageReader, readProtobuf, tagOf, varint } from '../protobuf-reader.ts';
import { readPair } from './otlp-protobuf.ts';
import { noAttributes } from './otlp-record.ts';
import { emptySpan, limitParts, type OtlpSpan, type OtlpSpanEvent, type OtlpSpanLink } from './otlp-span.ts';

// Field numbers: opentelemetry-proto, trace/v1/trace.proto.

/** Reads a Span. Throws RejectedError `bad-protobuf`, `invalid-utf8`, `too-deep`, `event-too-large`. */
export function readProtobufSpan(bytes: Buffer): OtlpSpan {
  return readProtobuf(() => readSpan(bytes));
}

function readSpan(bytes: Buffer): OtlpSpan {
  const reader = new MessageReader(bytes);
  const span = emptySpan();
  for (let t; (t = reader.tag(reader.end)) !== 0;) {
    if (t === tagOf(1)) span.traceId = reader.bytes().toString('hex');
    else if (t === tagOf(2)) span.spanId = reader.bytes().toString('hex');
    else if (t === tagOf(3)) span.traceState = reader.text();
    else if (t === tagOf(4)) span.parentSpanId = reader.bytes().toString('hex');
    else if (t === tagOf(5)) span.name = reader.text();
    else if (t === tagOf(6, varint)) span.kind = reader.uint32();
    else if (t === tagOf(7, fixed64)) span.startNanos = reader.fixed64();
    else if (t === tagOf(8, fixed64)) span.endNanos = reader.fixed64();
    else if (t === tagOf(9)) readPair(reader, span.attributes, 0);
    else if (t === tagOf(10, varint)) span.droppedAttributesCount = reader.uint32();
    else if (t === tagOf(11)) {
      span.events.push(readSpanEvent(reader, reader.length()));
      limitParts(span.events);
    } else if (t === tagOf(13)) {
      span.links.push(readLink(reader, reader.length()));
      limitParts(span.links);
    } else if (t === tagOf(15)) readStatus(reader, reader.length(), span);
    else if (t === tagOf(16, fixed32)) span.flags = reader.fixed32();
    else reader.skip(t);
  }
  return span;
}

function readSpanEvent(reader: MessageReader, end: number): OtlpSpanEvent {
  const event = { timeNanos: 0n, name: '', attributes: noAttributes() };
  for (let t; (t = reader.tag(end)) !== 0;) {
    if (t === tagOf(1, fixed64)) event.timeNanos = reader.fixed64();
    else if (t === tagOf(2)) event.name = reader.text();
    else if (t === tagOf(3)) readPair(reader, event.attributes, 0);
    else reader.skip(t);
  }
  return event;
}

function readLink(reader: MessageReader, end: number): OtlpSpanLink {
  const link = { traceId: '', spanId: '', attributes: noAttributes() };
  for (let t; (t = reader.tag(end)) !== 0;) {
    if (t === tagOf(1)) link.traceId = reader.bytes().toString('hex');
    else if (t === tagOf(2)) link.spanId = reader.bytes().toString('hex');
    else if (t === tagOf(4)) readPair(reader, link.attributes, 0);
    else reader.skip(t);
  }
  return link;
}

function readStatus(reader: MessageReader, end: number, span: OtlpSpan): void {
  for (let t; (t = reader.tag(end)) !== 0;) {
    if (t === tagOf(2)) span.statusMessage = reader.text();
    else if (t === tagOf(3, varint)) span.statusCode = reader.uint32();
    else reader.skip(t);
  }
}
