import type { LogEvent, Source } from '@logloom/schemas';
import { isUtf8 } from 'node:buffer';
import { orRejection, type Group } from './accept-groups.ts';
import { lokiJsonGroups, lokiProtobufGroups } from './accept-loki.ts';
import { otlpJsonGroups, otlpProtobufGroups } from './accept-otlp.ts';
import { RejectedError, type Rejection } from './errors.ts';
import type { Normalizer } from './normalize.ts';
import { parseJsonObject } from './read-event.ts';

/** The beginning of field 1, in which both protobuf requests hold everything. */
const firstField = 0x0a;

/**
 * Reads a request that holds one event alone, which is what the doors for OTLP and Loki keep as a dead letter (Group.alone). The
 * formats are told apart by what they hold. Undefined for every other text.
 */
export function readAlone(
  payload: Buffer,
  source: Source,
  receivedAt: number,
  normalizer: Normalizer,
): LogEvent | Rejection | undefined {
  for (const groups of readings(payload, normalizer)) {
    const [group, other] = groups;
    if (group === undefined || other !== undefined || group.records.length !== 1) continue;
    return orRejection(() => group.toEvent(group.records[0], source, receivedAt));
  }
  return undefined;
}

function* readings(payload: Buffer, normalizer: Normalizer): Generator<readonly Group<unknown>[]> {
  if (payload[0] === firstField) {
    // Labels are stricter than a resource, so nothing but a stream passes for one.
    yield orNone(() => lokiProtobufGroups(payload, normalizer) as Group<unknown>[]);
    yield orNone(() => otlpProtobufGroups(payload, normalizer) as Group<unknown>[]);
    return;
  }
  const isObject = payload[0] === 0x7b && isUtf8(payload);
  const object = isObject ? parseJsonObject(payload.toString('utf8')) : undefined;
  if (object === undefined) return;
  if (Array.isArray(object['resourceLogs'])) yield orNone(() => otlpJsonGroups(object, normalizer));
  if (Array.isArray(object['streams'])) yield orNone(() => lokiJsonGroups(object, normalizer));
}

function orNone(read: () => Group<unknown>[]): Group<unknown>[] {
  try {
    return read();
  } catch (error) {
    if (error instanceof RejectedError) return [];
    throw error;
  }
}
