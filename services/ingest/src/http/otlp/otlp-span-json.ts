import { list, member, nanoseconds, number, object, readPairs, text, type Json } from './otlp-json.ts';
import { limitParts, type OtlpSpan } from './otlp-span.ts';

const kinds = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];
const statusCodes = ['UNSET', 'OK', 'ERROR'];

/** Reads a Span of OTLP/JSON. Throws RejectedError `wrong-shape`, `bad-timestamp`, `too-deep`, `event-too-large`. */
export function readJsonSpan(value: unknown): OtlpSpan {
  const span = object(value, 'a span');
  const status = object(member(span, ['status']) ?? {}, 'status');
  const events = list(span, 'events');
  const links = list(span, 'links');
  limitParts(events);
  limitParts(links);
  return {
    traceId: idOf(span, 'traceId', 'trace_id'),
    spanId: idOf(span, 'spanId', 'span_id'),
    parentSpanId: idOf(span, 'parentSpanId', 'parent_span_id'),
    traceState: text(span, 'traceState', 'trace_state'),
    flags: number(span, 'flags'),
    name: text(span, 'name'),
    kind: enumOf(span, 'kind', 'SPAN_KIND_', kinds),
    startNanos: nanoseconds(span, 'startTimeUnixNano', 'start_time_unix_nano'),
    endNanos: nanoseconds(span, 'endTimeUnixNano', 'end_time_unix_nano'),
    attributes: readPairs(list(span, 'attributes'), 0),
    droppedAttributesCount: number(span, 'droppedAttributesCount', 'dropped_attributes_count'),
    events: events.map((each) => {
      const event = object(each, 'an event of a span');
      return {
        timeNanos: nanoseconds(event, 'timeUnixNano', 'time_unix_nano'),
        name: text(event, 'name'),
        attributes: readPairs(list(event, 'attributes'), 0),
      };
    }),
    links: links.map((each) => {
      const link = object(each, 'a link');
      return {
        traceId: idOf(link, 'traceId', 'trace_id'),
        spanId: idOf(link, 'spanId', 'span_id'),
        attributes: readPairs(list(link, 'attributes'), 0),
      };
    }),
    statusCode: enumOf(status, 'code', 'STATUS_CODE_', statusCodes),
    statusMessage: text(status, 'message'),
  };
}

function idOf(message: Json, ...names: string[]): string {
  return text(message, ...names).toLowerCase();
}

/** The specification demands numbers; protobuf's own JSON writers send names. */
function enumOf(message: Json, name: string, prefix: string, names: readonly string[]): number {
  const value = message[name];
  if (typeof value !== 'string' || !value.startsWith(prefix)) return number(message, name);
  return Math.max(0, names.indexOf(value.slice(prefix.length)));
}
