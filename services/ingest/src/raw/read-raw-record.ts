import type { LogRecord } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import { redrivenFrom, type LogEvent, type Source } from '@logloom/schemas';
import { isUtf8 } from 'node:buffer';
import { readRecord, type EventGroup } from '../http/accept-event-groups.ts';
import { otlpJsonGroups, otlpProtobufGroups } from '../http/otlp/accept-otlp.ts';
import { reject, RejectedError, type Rejection } from '../errors.ts';
import { deadLetterSlackBytes } from '../pipeline/batch-limits.ts';
import { JointDeadLetter, textsOf } from '../pipeline/joint-dead-letter.ts';
import type { Normalizer } from '../event/normalize.ts';
import { rawFormat } from './raw-format.ts';
import { readDeadLetter } from './read-dead-letter.ts';
import { readEvent } from '../event/read-event.ts';
import { countNotes, type NoteReason } from '../event/parse-notes.ts';
import { parseJsonObject } from '../event/parse-json.ts';
import { readRawAvro } from './read-raw-avro.ts';
import { readSyslog } from '../syslog/read-syslog.ts';
import { RequestCost } from '../admission/request-cost.ts';
import { readText as readPlainText } from '../text/read-text.ts';
import { localContext } from '../text/time/scan-parts.ts';

const nothing = Buffer.alloc(0);
/** How large shared fields may make a request, as a multiple of the largest event. */
const maxGrowth = 64;

export interface RawReaderOptions {
  serde: Serde;
  normalizer: Normalizer;
  maxEventBytes: number;
}

/**
 * One event of a record, or its rejection with a `payload` that can be read again alone. Where such payloads would be larger than the
 * record, rejected events share one.
 */
export interface RawResult {
  source: Source;
  result: LogEvent | Rejection;
  payload: Buffer;
}

/**
 * Reads a record of logs.raw in any format of rawFormat(). `source` is the first event's; further events of the record have an index. The
 * append time is the time of receipt, so that a replay makes the same events; a redriven record carries its first time of receipt. Rejects
 * only when the schema registry cannot be reached.
 */
export async function readRawRecord(
  record: LogRecord,
  source: Source,
  options: RawReaderOptions,
): Promise<RawResult[]> {
  const { value, timestampMs } = record;
  const { normalizer, maxEventBytes } = options;
  const redriven = redrivenFrom(record.headers);
  const receivedAtMs = redriven?.receivedAt ?? timestampMs;
  const one = (result: LogEvent | Rejection): RawResult[] => [{ source, result, payload: value }];
  if (value.length > maxEventBytes) return one(reject('event-too-large'));
  const cost = RequestCost.ofRecord(maxEventBytes, maxGrowth * maxEventBytes);
  const format = rawFormat(record);
  if (format === 'avro') return one(await readRawAvro(value, source, receivedAtMs, options));
  if (redriven === undefined) {
    const groups = requestGroups(record, format, normalizer, cost);
    if (Array.isArray(groups)) {
      const refused = refusedRequest(groups, maxEventBytes);
      return refused === undefined
        ? groupResults(groups, value.length, source, maxEventBytes, (read) => read(receivedAtMs))
        : one(refused);
    }
    if (groups !== undefined) return one(groups);
  }
  // A time that was too far ahead at first may be in range by now.
  const again = (read: (at: number) => LogEvent | Rejection): LogEvent | Rejection => {
    const result = read(receivedAtMs);
    const isAhead = !('code' in result) && receivedAtMs < timestampMs && hasNote(result, 'time out of range');
    return isAhead ? read(timestampMs) : result;
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
      // What was rejected as JSON is not read as text when it is redriven.
      if (format === 'text' && redriven === undefined) return readText(value, source, at, normalizer);
      return readJson(value, source, at, options);
    }),
  );
}

function hasNote({ attributes }: LogEvent, reason: NoteReason): boolean {
  let found = false;
  countNotes(attributes, (each) => (found ||= each === reason));
  return found;
}

function readJson(
  value: Buffer,
  source: Source,
  receivedAtMs: number,
  { normalizer, maxEventBytes }: RawReaderOptions,
): LogEvent | Rejection {
  if (value.length > maxEventBytes) return reject('event-too-large');
  if (!isUtf8(value)) return reject('invalid-utf8');
  return readEvent(value.toString('utf8'), source, receivedAtMs, normalizer);
}

/** Returns the groups of an OTLP request in protobuf or JSON, or its rejection; undefined for everything else. */
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
    : reject('event-too-large', 'the events of the record share too much: each of them would be too large');
}

function groupResults(
  groups: EventGroup<unknown>[],
  recordBytes: number,
  first: Source,
  maxEventBytes: number,
  at: (read: (receivedAtMs: number) => LogEvent | Rejection) => LogEvent | Rejection,
): RawResult[] {
  const results: RawResult[] = [];
  let index = 0;
  let deadLetterBytes = 0;
  for (const group of groups) {
    let joint: JointDeadLetter | undefined;
    for (const record of group.records) {
      const source = { ...first, index: index++ };
      const result = at((receivedAtMs) => readRecord(group, record, source, receivedAtMs, maxEventBytes));
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
  receivedAtMs: number,
  normalizer: Normalizer,
): LogEvent | Rejection {
  // Bytes that are not UTF-8 are read as ISO 8859-1, which has a character for each byte.
  const text = value.toString(isUtf8(value) ? 'utf8' : 'latin1').replace(/\r?\n$/, '');
  const read = (event: Record<string, unknown>): LogEvent | Rejection => {
    const result = normalizer.normalize(event, source, receivedAtMs);
    return 'ok' in result ? result.ok : result;
  };
  const context = { ...localContext(receivedAtMs), formats: normalizer.formats?.table };
  const event = read(readPlainText(text, context));
  // For example a name or an id is too long: then the whole text is the message.
  return 'code' in event ? read({ message: text }) : event;
}
