import type { LogRecord } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import { redrivenFrom, type LogEvent, type Source } from '@logloom/schemas';
import { isUtf8 } from 'node:buffer';
import { reject, type Rejection } from './errors.ts';
import { jsonText, type JsonFindings } from './json-text.ts';
import type { Normalizer } from './normalize.ts';
import { readAlone } from './read-alone.ts';
import { readEvent } from './read-event.ts';

const maxIdLength = 256;

/**
 * Reads a record of logs.raw: one JSON object, or a LogEvent in framed Avro, which begins with a zero byte. Its append time stands
 * in for the time of receipt, so that a replay gives the same event; a redriven one has its first time of receipt with it. Rejects
 * only when the schema registry is out of reach.
 */
export async function readRawRecord(
  record: LogRecord,
  source: Source,
  serde: Serde,
  normalizer: Normalizer,
  maxEventBytes: number,
): Promise<LogEvent | Rejection> {
  const { value, timestamp } = record;
  const redriven = redrivenFrom(record.headers);
  const receivedAt = redriven?.receivedAt ?? timestamp;
  if (value.length > maxEventBytes) return reject('event-too-large');
  if (value[0] === 0) return readAvro(value, source, receivedAt, serde);
  const read = (receivedAt: number): LogEvent | Rejection => {
    const alone = redriven && readAlone(value, source, receivedAt, normalizer);
    if (alone !== undefined) return alone;
    if (!isUtf8(value)) return reject('invalid-utf8');
    return readEvent(value.toString('utf8'), source, receivedAt, normalizer);
  };
  const result = read(receivedAt);
  // What was too far ahead when it first came in may not be any more.
  const isAhead = 'code' in result && result.code === 'timestamp-out-of-range' && receivedAt < timestamp;
  return isAhead ? read(timestamp) : result;
}

async function readAvro(
  value: Buffer,
  source: Source,
  receivedAt: number,
  serde: Serde,
): Promise<LogEvent | Rejection> {
  await serde.load([value]);
  try {
    const { name, value: event } = serde.decode(value);
    if (name !== 'LogEvent') return reject('bad-avro', `the record is a ${name}, not a LogEvent`);
    return checkEvent(event) ?? withId({ ...event, source, receivedAt });
  } catch (error) {
    return reject('bad-avro', (error as Error).message);
  }
}

/** What the schema cannot say, and readers rely on: attributes are JSON, times are ours, ids have a bound. */
function checkEvent(event: LogEvent): Rejection | undefined {
  const attributes: unknown = JSON.parse(event.attributes);
  if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes))
    return reject('bad-avro', 'attributes is not a JSON object');
  const findings: JsonFindings = { tooDeep: false, rounded: false };
  jsonText(attributes, 0, findings);
  if (findings.tooDeep) return reject('too-deep');
  if (event.timestamp < 0) return reject('timestamp-out-of-range');
  for (const field of ['service', 'host', 'correlationId', 'traceId', 'spanId'] as const)
    if ((event[field]?.length ?? 0) > maxIdLength) return reject('bad-field', `${field} is too long`);
  return undefined;
}

function withId(event: LogEvent): LogEvent {
  if (event.correlationId !== null)
    return { ...event, correlationKind: event.correlationKind ?? 'correlationId' };
  if (event.traceId === null) return { ...event, correlationKind: null };
  return { ...event, correlationId: event.traceId, correlationKind: 'traceId' };
}
