import type { LogRecord } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import { redrivenFrom, type LogEvent, type Source } from '@logloom/schemas';
import { isUtf8 } from 'node:buffer';
import { orRejection, type Group } from './accept-groups.ts';
import { otlpJsonGroups, otlpProtobufGroups } from './accept-otlp.ts';
import { reject, RejectedError, type Rejection } from './errors.ts';
import type { Normalizer } from './normalize.ts';
import { rawFormat } from './raw-format.ts';
import { readAlone } from './read-alone.ts';
import { readEvent, parseJsonObject } from './read-event.ts';
import { readRawAvro } from './read-raw-avro.ts';
import { readSyslog } from './read-syslog.ts';
import { textEvent } from './text-event.ts';

const nothing = Buffer.alloc(0);
/** What shared fields may blow a request up to, as a multiple of the largest event. */
const maxGrowth = 64;

export interface RawReaderOptions {
  serde: Serde;
  normalizer: Normalizer;
  maxEventBytes: number;
}

/** One event of a record, or why it is none; then `payload` are its bytes, such that they can be put through again alone. */
export interface RawResult {
  source: Source;
  result: LogEvent | Rejection;
  payload: Buffer;
}

/**
 * Reads a record of logs.raw: see rawFormat(). `source` is the first event's; further ones of the record have an index. Its append time
 * stands in for the time of receipt, so that a replay gives the same events; a redriven one has its first time of receipt with it.
 * Rejects only when the schema registry is out of reach.
 */
export async function readRawRecord(
  record: LogRecord,
  source: Source,
  options: RawReaderOptions,
): Promise<RawResult[]> {
  const { value, timestamp } = record;
  const { normalizer, maxEventBytes } = options;
  const redriven = redrivenFrom(record.headers);
  const receivedAt = redriven?.receivedAt ?? timestamp;
  const one = (result: LogEvent | Rejection): RawResult[] => [{ source, result, payload: value }];
  if (value.length > maxEventBytes) return one(reject('event-too-large'));
  const format = rawFormat(record);
  if (format === 'avro') return one(await readRawAvro(value, source, receivedAt, options));
  if (redriven === undefined) {
    const groups = requestGroups(record, format, normalizer);
    if (Array.isArray(groups)) {
      const refused = refusedRequest(groups, maxEventBytes);
      return refused === undefined ? groupResults(groups, source, receivedAt, maxEventBytes) : one(refused);
    }
    if (groups !== undefined) return one(groups);
  }
  const read = (at: number): LogEvent | Rejection => {
    const alone = redriven && readAlone(value, source, at, normalizer);
    if (alone !== undefined) return alone;
    if (format === 'syslog') return readSyslog(value, source, at, normalizer);
    // What was refused as JSON is no text when it comes again.
    if (format === 'text' && redriven === undefined) return readText(value, source, at, normalizer);
    if (!isUtf8(value)) return reject('invalid-utf8');
    return readEvent(value.toString('utf8'), source, at, normalizer);
  };
  const result = read(receivedAt);
  // What was too far ahead when it first came in may not be any more.
  const isAhead = 'code' in result && result.code === 'timestamp-out-of-range' && receivedAt < timestamp;
  return one(isAhead ? read(timestamp) : result);
}

/** The groups of an OTLP request in protobuf or JSON, or why it cannot be read; undefined for everything else. */
function requestGroups(
  { value }: LogRecord,
  format: 'json' | 'otlp' | 'text' | 'syslog',
  normalizer: Normalizer,
): Group<unknown>[] | Rejection | undefined {
  try {
    if (format === 'otlp') return otlpProtobufGroups(value, normalizer) as Group<unknown>[];
    if (format !== 'json' || !value.includes('"resourceLogs"') || !isUtf8(value)) return undefined;
    const object = parseJsonObject(value.toString('utf8'));
    return Array.isArray(object?.['resourceLogs']) ? otlpJsonGroups(object, normalizer) : undefined;
  } catch (error) {
    if (error instanceof RejectedError) return error.rejection;
    throw error;
  }
}

function refusedRequest(groups: Group<unknown>[], maxEventBytes: number): Rejection | undefined {
  if (groups.every(({ records }) => records.length === 0))
    return reject('empty-event', 'the request holds no log record');
  const shared = groups.reduce((sum, { records, sharedLength }) => sum + records.length * sharedLength, 0);
  return shared <= maxGrowth * maxEventBytes
    ? undefined
    : reject('event-too-large', 'what the events of the record share is too large to be in each of them');
}

function groupResults(
  groups: Group<unknown>[],
  first: Source,
  receivedAt: number,
  maxEventBytes: number,
): RawResult[] {
  const results: RawResult[] = [];
  for (const group of groups)
    for (const record of group.records) {
      const source = { ...first, index: results.length };
      let result = orRejection(() => group.toEvent(record, source, receivedAt));
      if (!('code' in result) && result.message.length + result.attributes.length > maxEventBytes)
        result = reject('event-too-large');
      results.push({ source, result, payload: 'code' in result ? group.alone(record) : nothing });
    }
  return results;
}

function readText(
  value: Buffer,
  source: Source,
  receivedAt: number,
  normalizer: Normalizer,
): LogEvent | Rejection {
  // Bytes that are no UTF-8 are ISO 8859-1 or a relative: each keeps a character of its own.
  const text = value.toString(isUtf8(value) ? 'utf8' : 'latin1').replace(/\r?\n$/, '');
  const read = (event: Record<string, unknown>): LogEvent | Rejection => {
    const result = normalizer.normalize(event, source, receivedAt);
    return 'ok' in result ? result.ok : result;
  };
  const event = read(textEvent(text, receivedAt));
  // A name or an id in it that is too long, say: then the text speaks for itself.
  return 'code' in event ? read({ message: text }) : event;
}
