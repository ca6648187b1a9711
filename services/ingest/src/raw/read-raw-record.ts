import type { LogRecord } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import { redrivenFrom, type LogEvent, type Source } from '@logloom/schemas';
import { isUtf8 } from 'node:buffer';
import { readRecord, type EventGroup } from '../http/accept-event-groups.ts';
import { otlpJsonGroups, otlpProtobufGroups } from '../http/otlp/accept-otlp.ts';
import { reject, RejectedError, type Rejection } from '../errors.ts';
import { JointDeadLetter, textsOf } from '../pipeline/joint-dead-letter.ts';
import type { Normalizer } from '../event/normalize.ts';
import { rawFormat } from './raw-format.ts';
import { readDeadLetter } from './read-dead-letter.ts';
import { readEvent, parseJsonObject } from '../event/read-event.ts';
import { readRawAvro } from './read-raw-avro.ts';
import { readSyslog } from '../syslog/read-syslog.ts';
import { RequestCost } from '../admission/request-cost.ts';
import { textEvent } from '../text/text-event.ts';

const nothing = Buffer.alloc(0);
/** Letters of a record's parts may be so much larger than the record. */
const deadLetterSlackBytes = 64 * 1024;
/** What shared fields may blow a request up to, as a multiple of the largest event. */
const maxGrowth = 64;

export interface RawReaderOptions {
  serde: Serde;
  normalizer: Normalizer;
  maxEventBytes: number;
}

/**
 * One event of a record, or why it is none; then `payload` are its bytes, such that they can be put through again alone. What is
 * refused when such payloads are larger than the record shares one.
 */
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
  const cost = RequestCost.ofRecord(maxEventBytes, maxGrowth * maxEventBytes);
  const format = rawFormat(record);
  if (format === 'avro') return one(await readRawAvro(value, source, receivedAt, options));
  if (redriven === undefined) {
    const groups = requestGroups(record, format, normalizer, cost);
    if (Array.isArray(groups)) {
      const refused = refusedRequest(groups, maxEventBytes);
      return refused === undefined
        ? groupResults(groups, value.length, source, maxEventBytes, (read) => read(receivedAt))
        : one(refused);
    }
    if (groups !== undefined) return one(groups);
  }
  // What was too far ahead when it first came in may not be any more.
  const again = (read: (at: number) => LogEvent | Rejection): LogEvent | Rejection => {
    const result = read(receivedAt);
    const isAhead = 'code' in result && result.code === 'timestamp-out-of-range' && receivedAt < timestamp;
    return isAhead ? read(timestamp) : result;
  };
  if (redriven !== undefined) {
    const texts = textsOf(value);
    if (texts !== undefined)
      return texts.map((payload, index) => {
        const own = { ...source, index };
        return { source: own, result: again((at) => readJson(payload, own, at, options)), payload };
      });
    const group = readDeadLetter(value, normalizer, cost);
    if (group !== undefined) return groupResults([group], value.length, source, maxEventBytes, again);
  }
  return one(
    again((at) => {
      if (format === 'syslog') return readSyslog(value, source, at, normalizer);
      // What was refused as JSON is no text when it comes again.
      if (format === 'text' && redriven === undefined) return readText(value, source, at, normalizer);
      return readJson(value, source, at, options);
    }),
  );
}

function readJson(
  value: Buffer,
  source: Source,
  receivedAt: number,
  { normalizer, maxEventBytes }: RawReaderOptions,
): LogEvent | Rejection {
  if (value.length > maxEventBytes) return reject('event-too-large');
  if (!isUtf8(value)) return reject('invalid-utf8');
  return readEvent(value.toString('utf8'), source, receivedAt, normalizer);
}

/** The groups of an OTLP request in protobuf or JSON, or why it cannot be read; undefined for everything else. */
function requestGroups(
  { value }: LogRecord,
  format: 'json' | 'otlp' | 'text' | 'syslog',
  normalizer: Normalizer,
  cost: RequestCost,
): EventGroup<unknown>[] | Rejection | undefined {
  try {
    if (format === 'otlp') return otlpProtobufGroups(value, normalizer, cost) as EventGroup<unknown>[];
    if (format !== 'json' || !value.includes('"resourceLogs"') || !isUtf8(value)) return undefined;
    const object = parseJsonObject(value.toString('utf8'));
    return Array.isArray(object?.['resourceLogs']) ? otlpJsonGroups(object, normalizer, cost) : undefined;
  } catch (error) {
    if (error instanceof RejectedError) return error.rejection;
    throw error;
  }
}

function refusedRequest(groups: EventGroup<unknown>[], maxEventBytes: number): Rejection | undefined {
  if (groups.every(({ records }) => records.length === 0))
    return reject('empty-event', 'the request holds no log record');
  const shared = groups.reduce((sum, { records, sharedLength }) => sum + records.length * sharedLength, 0);
  return shared <= maxGrowth * maxEventBytes
    ? undefined
    : reject('event-too-large', 'what the events of the record share is too large to be in each of them');
}

function groupResults(
  groups: EventGroup<unknown>[],
  recordBytes: number,
  first: Source,
  maxEventBytes: number,
  at: (read: (receivedAt: number) => LogEvent | Rejection) => LogEvent | Rejection,
): RawResult[] {
  const results: RawResult[] = [];
  let index = 0;
  let deadLetterBytes = 0;
  for (const group of groups) {
    let joint: JointDeadLetter | undefined;
    for (const record of group.records) {
      const source = { ...first, index: index++ };
      const result = at((receivedAt) => readRecord(group, record, source, receivedAt, maxEventBytes));
      if (!('code' in result)) {
        results.push({ source, result, payload: nothing });
        continue;
      }
      const part = group.part(record);
      deadLetterBytes += group.sharedLength + part.length;
      if (deadLetterBytes <= recordBytes + deadLetterSlackBytes)
        results.push({ source, result, payload: group.deadLetter(part) });
      else (joint ??= new JointDeadLetter(source, 0, group.deadLetter)).add(result.code, part);
    }
    if (joint !== undefined)
      results.push({ source: joint.source, result: joint.reason, payload: joint.payload });
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
