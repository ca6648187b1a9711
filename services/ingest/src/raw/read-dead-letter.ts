import { isUtf8 } from 'node:buffer';
import { type EventGroup } from '../http/accept-event-groups.ts';
import { lokiJsonGroups, lokiProtobufGroups } from '../http/loki/accept-loki.ts';
import { otlpJsonGroups, otlpProtobufGroups } from '../http/otlp/accept-otlp.ts';
import { RejectedError } from '../errors.ts';
import { spanJsonGroups, spanLetterField, spanProtobufGroups } from '../http/otlp/accept-spans.ts';
import { MessageReader, readProtobuf, tagOf } from '../http/protobuf-reader.ts';
import type { Normalizer } from '../event/normalize.ts';
import { parseJsonObject } from '../event/parse-json.ts';
import type { RequestCost } from '../admission/request-cost.ts';

/** The beginning of field 1, in which both protobuf requests hold everything. */
const firstField = 0x0a;

/**
 * Reads a dead letter of OTLP or Loki: a request that holds one event, or several of one group (EventGroup.deadLetter). The content tells
 * the formats apart. Returns undefined for every other text.
 */
export function readDeadLetter(
  payload: Buffer,
  normalizer: Normalizer,
  cost: RequestCost,
): EventGroup<unknown> | undefined {
  for (const groups of readings(payload, normalizer, cost)) {
    const [group, other] = groups;
    if (group !== undefined && other === undefined && group.records.length > 0) return group;
  }
  return undefined;
}

function* readings(
  payload: Buffer,
  normalizer: Normalizer,
  cost: RequestCost,
): Generator<readonly EventGroup<unknown>[]> {
  if (payload[0] === firstField) {
    // Labels are stricter than a resource: only a stream can be read as one.
    yield orNone(() => lokiProtobufGroups(payload, normalizer, cost) as EventGroup<unknown>[]);
    yield orNone(() => otlpProtobufGroups(payload, normalizer, cost) as EventGroup<unknown>[]);
    return;
  }
  if (payload[0] === tagOf(spanLetterField)) {
    yield orNone(() => {
      const request = readProtobuf(() => wholeField(payload));
      return spanProtobufGroups(request, normalizer, cost) as EventGroup<unknown>[];
    });
    return;
  }
  const isObject = payload[0] === 0x7b && isUtf8(payload);
  const object = isObject ? parseJsonObject(payload.toString('utf8')) : undefined;
  if (object === undefined) return;
  if (Array.isArray(object['resourceLogs'])) yield orNone(() => otlpJsonGroups(object, normalizer, cost));
  if (Array.isArray(object['resourceSpans'])) yield orNone(() => spanJsonGroups(object, normalizer, cost));
  if (Array.isArray(object['streams'])) yield orNone(() => lokiJsonGroups(object, normalizer, cost));
}

/** Returns the content of the one field that a message has. */
function wholeField(message: Buffer): Buffer {
  const reader = new MessageReader(message);
  reader.tag(reader.end);
  return reader.bytes();
}

function orNone(read: () => EventGroup<unknown>[]): EventGroup<unknown>[] {
  try {
    return read();
  } catch (error) {
    if (error instanceof RejectedError) return [];
    throw error;
  }
}
