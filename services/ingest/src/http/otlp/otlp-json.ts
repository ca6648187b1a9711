import { RejectedError } from '../../errors.ts';
import { jsonInteger } from '../../event/json-integer.ts';
import { textOfValue } from '../../event/json-text.ts';
import { parseTimestamp } from '../../event/parse-timestamp.ts';
import { jsonDeadLetter, jsonPart } from '../json-dead-letter.ts';
import {
  addAttribute,
  double,
  maxValueDepth,
  noAttributes,
  readShared,
  type AnyValue,
  type Attributes,
  type OtlpScopeLogs,
  type OtlpRecord,
  type OtlpShared,
} from './otlp-record.ts';
import { groupBytes, type RequestCost } from '../../admission/request-cost.ts';

/** An object of a parsed request. */
export type Json = Readonly<Record<string, unknown>>;

/** What a signal calls the levels of its requests, in camelCase and as the .proto files do. */
export interface SignalNames {
  resources: readonly [string, string];
  scopes: readonly [string, string];
  records: readonly [string, string];
}

const logNames: SignalNames = {
  resources: ['resourceLogs', 'resource_logs'],
  scopes: ['scopeLogs', 'scope_logs'],
  records: ['logRecords', 'log_records'],
};

/**
 * Returns the groups of a parsed ExportLogsServiceRequest in OTLP/JSON: protobuf's JSON mapping, but ids are hexadecimal and enums
 * numbers. Names may also be in snake_case, as in the .proto files. Throws RejectedError `wrong-shape` when its frame is broken.
 */
export function readOtlpJson(
  request: unknown,
  cost: RequestCost,
  { resources, scopes, records: recordNames }: SignalNames = logNames,
): OtlpScopeLogs<unknown>[] {
  const groups: OtlpScopeLogs<unknown>[] = [];
  for (const resourceLogs of list(object(request, 'the request'), ...resources)) {
    const outer = object(resourceLogs, resources[0]);
    const resource = object(outer['resource'] ?? {}, 'resource');
    const schemaUrl = text(outer, 'schemaUrl', 'schema_url');
    const sender = { ...readCommon(resource), schemaUrl };
    for (const scopeLogs of list(outer, ...scopes)) {
      const inner = object(scopeLogs, scopes[0]);
      const scope = object(inner['scope'] ?? {}, 'scope');
      const scopeUrl = text(inner, 'schemaUrl', 'schema_url');
      const names = { name: text(scope, 'name'), version: text(scope, 'version') };
      const records = list(inner, ...recordNames);
      cost.add(groupBytes);
      cost.events(records.length);
      groups.push({
        sender: { ...sender, scope: { ...names, ...readCommon(scope), schemaUrl: scopeUrl } },
        records,
        part: jsonPart,
        deadLetter: (parts) => {
          const inScope = [{ scope, [recordNames[0]]: [], schemaUrl: scopeUrl }];
          return jsonDeadLetter(
            { [resources[0]]: [{ resource, [scopes[0]]: inScope, schemaUrl }] },
            `"${recordNames[0]}":[`,
            parts,
          );
        },
      });
    }
  }
  return groups;
}

function readCommon(message: Json): OtlpShared {
  return readShared(() => ({
    attributes: readPairs(list(message, 'attributes'), 0),
    droppedAttributesCount: number(message, 'droppedAttributesCount', 'dropped_attributes_count'),
  }));
}

/**
 * Reads a LogRecord. A field of another type than the standard's is read as far as it can be; what is no time becomes the attribute
 * `timeUnixNano`. Throws RejectedError `wrong-shape`, `too-deep`.
 */
export function readJsonRecord(record: unknown): OtlpRecord {
  const log = object(record, 'a log record');
  const time = member(log, ['timeUnixNano', 'time_unix_nano']);
  const timeNanos = nanosOf(time);
  const attributes = readPairs(list(log, 'attributes'), 0);
  if (timeNanos === undefined && !('timeUnixNano' in attributes))
    attributes['timeUnixNano'] = textOfValue(time);
  return {
    timeNanos: timeNanos ?? 0n,
    observedTimeNanos: nanoseconds(log, 'observedTimeUnixNano', 'observed_time_unix_nano'),
    severityNumber: severityNumber(log),
    severityText: text(log, 'severityText', 'severity_text'),
    body: log['body'] === undefined || log['body'] === null ? undefined : readValue(log['body'], 0),
    attributes,
    droppedAttributesCount: number(log, 'droppedAttributesCount', 'dropped_attributes_count'),
    flags: number(log, 'flags'),
    traceId: text(log, 'traceId', 'trace_id'),
    spanId: text(log, 'spanId', 'span_id'),
    eventName: text(log, 'eventName', 'event_name'),
  };
}

/** Returns the attributes of a list of KeyValues. Throws RejectedError. */
export function readPairs(pairs: readonly unknown[], depth: number): Attributes {
  const attributes = noAttributes();
  for (const pair of pairs) {
    const { key, value } = object(pair, 'an attribute');
    if (typeof key !== 'string') throw bad('the key of an attribute is not a string');
    addAttribute(attributes, key, value === undefined || value === null ? null : readValue(value, depth));
  }
  return attributes;
}

function readValue(value: unknown, depth: number): AnyValue {
  if (depth >= maxValueDepth) throw new RejectedError('too-deep');
  // Some write a JSON value as it is.
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  const any = object(value, 'a value');
  for (const name in any) {
    const inner = any[name];
    if (inner === null) continue;
    switch (name) {
      case 'stringValue':
      case 'string_value':
      case 'bytesValue':
      case 'bytes_value':
        return text(any, name);
      case 'boolValue':
      case 'bool_value':
        return typeof inner === 'boolean' ? inner : textOfValue(inner);
      case 'intValue':
      case 'int_value':
        return readInteger(inner);
      case 'doubleValue':
      case 'double_value':
        return readDouble(inner);
      case 'arrayValue':
      case 'array_value':
        return list(object(inner, name), 'values').map((each) => readValue(each, depth + 1));
      case 'kvlistValue':
      case 'kvlist_value':
        return readPairs(list(object(inner, name), 'values'), depth + 1);
    }
  }
  return null;
}

/** proto3's JSON mapping writes an int64 as a string and accepts a number too. */
function readInteger(value: unknown): AnyValue {
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return jsonInteger(BigInt(value));
  return textOfValue(value);
}

function readDouble(value: unknown): AnyValue {
  if (typeof value === 'number') return value;
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return value;
  if (typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value)))
    return double(Number(value));
  return textOfValue(value);
}

/** Returns the time under the first of these names; 0 for none, and for what is no time. */
export function nanoseconds(message: Json, ...names: string[]): bigint {
  return nanosOf(member(message, names)) ?? 0n;
}

/** Nanoseconds since 1970, 0 for none; undefined for what is no time. Some write RFC 3339. */
function nanosOf(value: unknown): bigint | undefined {
  if (value === undefined || value === '') return 0n;
  const digits = typeof value === 'number' && Number.isInteger(value) && value >= 0 ? String(value) : value;
  if (typeof digits === 'string' && /^\d{1,20}$/.test(digits)) return BigInt(digits);
  const micros = parseTimestamp(value);
  return Number.isSafeInteger(micros) && micros >= 0 ? BigInt(micros) * 1000n : undefined;
}

/** The specification demands a number; protobuf's own JSON writers send its name. */
function severityNumber(log: Json): number {
  const value = member(log, ['severityNumber', 'severity_number']);
  const name = typeof value === 'string' ? /^SEVERITY_NUMBER_([A-Z]+)([2-4]?)$/.exec(value) : null;
  if (name === null) return number(log, 'severityNumber', 'severity_number');
  const rank = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].indexOf(name[1]!);
  return rank === -1 ? 0 : rank * 4 + Number(name[2] || '1');
}

/** Returns the value under the first of these names that the message has. */
export function member(message: Json, names: readonly string[]): unknown {
  for (const name of names) if (message[name] !== undefined && message[name] !== null) return message[name];
  return undefined;
}

/** Returns the text under these names; '' for none. Throws RejectedError `too-deep`. */
export function text(message: Json, ...names: string[]): string {
  return textOfValue(member(message, names) ?? '');
}

/** Returns the integer under these names; 0 for none. */
export function number(message: Json, ...names: string[]): number {
  const value = member(message, names) ?? 0;
  const found = typeof value === 'string' ? Number(value) : value;
  return typeof found === 'number' && Number.isInteger(found) ? found : 0;
}

/** Returns the array under these names; empty for none. Throws RejectedError. */
export function list(message: Json, ...names: string[]): unknown[] {
  const value = member(message, names) ?? [];
  if (!Array.isArray(value)) throw bad(`${names[0]} is not an array`);
  return value;
}

/** Returns the value as an object. Throws RejectedError. */
export function object(value: unknown, what: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw bad(`${what} is not an object`);
  return value as Json;
}

function bad(detail: string): RejectedError {
  return new RejectedError('wrong-shape', detail);
}
