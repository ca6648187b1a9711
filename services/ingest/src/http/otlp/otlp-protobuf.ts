import { RejectedError } from '../../errors.ts';
import { jsonInteger } from '../../event/json-integer.ts';
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
  type OtlpSender,
} from './otlp-record.ts';
import {
  fixed32,
  fixed64,
  MessageReader,
  protobufField,
  readProtobuf,
  tagOf,
  varint,
} from '../protobuf-reader.ts';
import { groupBytes, pieceBytes, type RequestCost } from '../../admission/request-cost.ts';

// Field numbers: opentelemetry-proto, logs/v1/logs.proto, resource/v1/resource.proto, common/v1/common.proto.

/** The groups of an ExportLogsServiceRequest, or of an ExportTraceServiceRequest, which has the same frame. Throws RejectedError when its frame is broken; the records are not looked into. */
export function readOtlpProtobuf(body: Buffer, cost: RequestCost): OtlpScopeLogs<Buffer>[] {
  return readProtobuf(() => request(body, cost));
}

/** A LogRecord. Throws RejectedError `bad-protobuf`, `invalid-utf8`, `too-deep`. */
export function readProtobufRecord(bytes: Buffer): OtlpRecord {
  return readProtobuf(() => logRecord(bytes));
}

function request(body: Buffer, cost: RequestCost): OtlpScopeLogs<Buffer>[] {
  const groups: OtlpScopeLogs<Buffer>[] = [];
  const reader = new MessageReader(body);
  for (let t; (t = reader.tag(reader.end)) !== 0;) {
    if (t === tagOf(1)) resourceLogs(reader.bytes(), cost, groups);
    else reader.skip(t);
  }
  return groups;
}

function resourceLogs(bytes: Buffer, cost: RequestCost, groups: OtlpScopeLogs<Buffer>[]): void {
  const reader = new MessageReader(bytes);
  const resources: Buffer[] = [];
  const scopes: Buffer[] = [];
  let schemaUrl = '';
  for (let t; (t = reader.tag(reader.end)) !== 0;) {
    if (t === tagOf(1)) push(resources, reader.bytes(), cost);
    else if (t === tagOf(2)) push(scopes, reader.bytes(), cost);
    else if (t === tagOf(3)) schemaUrl = sharedText(reader, cost);
    else reader.skip(t);
  }
  const resource = joined(resources, cost);
  const sender = { ...readShared(() => readAttributes(resource, 1, 2)), schemaUrl };
  for (const scope of scopes) groups.push(scopeLogs(scope, resource, sender, cost));
}

function scopeLogs(
  bytes: Buffer,
  resource: Buffer,
  sender: Omit<OtlpSender, 'scope'>,
  cost: RequestCost,
): OtlpScopeLogs<Buffer> {
  cost.add(groupBytes);
  const reader = new MessageReader(bytes);
  const scopes: Buffer[] = [];
  const records: Buffer[] = [];
  let schemaUrl = '';
  for (let t; (t = reader.tag(reader.end)) !== 0;) {
    if (t === tagOf(1)) push(scopes, reader.bytes(), cost);
    else if (t === tagOf(2)) {
      cost.events(1);
      records.push(reader.bytes());
    } else if (t === tagOf(3)) schemaUrl = sharedText(reader, cost);
    else reader.skip(t);
  }
  const scope = joined(scopes, cost);
  return {
    sender: {
      ...sender,
      scope: { ...readScopeNames(scope), ...readShared(() => readAttributes(scope, 3, 4)), schemaUrl },
    },
    records,
    part: protobufPart,
    deadLetter: (parts) => writeDeadLetter(resource, sender.schemaUrl, scope, schemaUrl, parts),
  };
}

/** A message that stands several times is one: protobuf merges by the order of the fields. */
function joined(parts: Buffer[], cost: RequestCost): Buffer {
  const whole = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  cost.shared(whole.length);
  return whole;
}

function push(parts: Buffer[], part: Buffer, cost: RequestCost): void {
  cost.add(pieceBytes);
  parts.push(part);
}

function sharedText(reader: MessageReader, cost: RequestCost): string {
  const text = reader.text();
  cost.shared(text.length);
  return text;
}

const protobufPart = (record: Buffer): Buffer => protobufField(2, record);

function writeDeadLetter(
  resource: Buffer,
  resourceUrl: string,
  scope: Buffer,
  scopeUrl: string,
  records: Buffer,
): Buffer {
  const url = (text: string): Buffer[] => (text === '' ? [] : [protobufField(3, Buffer.from(text))]);
  const scopeLogs = Buffer.concat([protobufField(1, scope), records, ...url(scopeUrl)]);
  const parts = [protobufField(1, resource), protobufField(2, scopeLogs), ...url(resourceUrl)];
  return protobufField(1, Buffer.concat(parts));
}

function readAttributes(
  bytes: Buffer,
  attributesField: number,
  droppedField: number,
): { attributes: Attributes; droppedAttributesCount: number } {
  const reader = new MessageReader(bytes);
  const attributes = noAttributes();
  let droppedAttributesCount = 0;
  for (let t; (t = reader.tag(reader.end)) !== 0;) {
    if (t === tagOf(attributesField)) readPair(reader, attributes, 0);
    else if (t === tagOf(droppedField, varint)) droppedAttributesCount = reader.uint32();
    else reader.skip(t);
  }
  return { attributes, droppedAttributesCount };
}

function readScopeNames(bytes: Buffer): { name: string; version: string } {
  const reader = new MessageReader(bytes);
  const names = { name: '', version: '' };
  for (let t; (t = reader.tag(reader.end)) !== 0;) {
    if (t === tagOf(1)) names.name = reader.text();
    else if (t === tagOf(2)) names.version = reader.text();
    else reader.skip(t);
  }
  return names;
}

function logRecord(bytes: Buffer): OtlpRecord {
  const reader = new MessageReader(bytes);
  const record: OtlpRecord = {
    timeNanos: 0n,
    observedTimeNanos: 0n,
    severityNumber: 0,
    severityText: '',
    body: undefined,
    attributes: noAttributes(),
    droppedAttributesCount: 0,
    flags: 0,
    traceId: '',
    spanId: '',
    eventName: '',
  };
  for (let t; (t = reader.tag(reader.end)) !== 0;) {
    if (t === tagOf(1, fixed64)) record.timeNanos = reader.fixed64();
    else if (t === tagOf(2, varint)) record.severityNumber = reader.uint32();
    else if (t === tagOf(3)) record.severityText = reader.text();
    else if (t === tagOf(5)) record.body = readValue(reader, reader.length(), 0);
    else if (t === tagOf(6)) readPair(reader, record.attributes, 0);
    else if (t === tagOf(7, varint)) record.droppedAttributesCount = reader.uint32();
    else if (t === tagOf(8, fixed32)) record.flags = reader.fixed32();
    else if (t === tagOf(9)) record.traceId = reader.bytes().toString('hex');
    else if (t === tagOf(10)) record.spanId = reader.bytes().toString('hex');
    else if (t === tagOf(11, fixed64)) record.observedTimeNanos = reader.fixed64();
    else if (t === tagOf(12)) record.eventName = reader.text();
    else reader.skip(t);
  }
  return record;
}

/** Reads a KeyValue into the attributes. Throws what the reader throws, and RejectedError `too-deep`. */
export function readPair(reader: MessageReader, attributes: Attributes, depth: number): void {
  const end = reader.length();
  let name = '';
  let value: AnyValue = null;
  for (let t; (t = reader.tag(end)) !== 0;) {
    if (t === tagOf(1)) name = reader.text();
    else if (t === tagOf(2)) value = readValue(reader, reader.length(), depth);
    else reader.skip(t);
  }
  addAttribute(attributes, name, value);
}

function readValue(reader: MessageReader, end: number, depth: number): AnyValue {
  if (depth >= maxValueDepth) throw new RejectedError('too-deep');
  let value: AnyValue = null;
  for (let t; (t = reader.tag(end)) !== 0;) {
    if (t === tagOf(1)) value = reader.text();
    else if (t === tagOf(2, varint)) value = reader.bool();
    else if (t === tagOf(3, varint)) value = jsonInteger(reader.int64());
    else if (t === tagOf(4, fixed64)) value = double(reader.double());
    else if (t === tagOf(5)) value = readArray(reader, reader.length(), depth + 1);
    else if (t === tagOf(6)) value = readList(reader, reader.length(), depth + 1);
    else if (t === tagOf(7)) value = reader.bytes().toString('base64');
    else reader.skip(t);
  }
  return value;
}

function readArray(reader: MessageReader, end: number, depth: number): AnyValue[] {
  const values: AnyValue[] = [];
  for (let t; (t = reader.tag(end)) !== 0;) {
    if (t === tagOf(1)) values.push(readValue(reader, reader.length(), depth));
    else reader.skip(t);
  }
  return values;
}

function readList(reader: MessageReader, end: number, depth: number): Attributes {
  const attributes = noAttributes();
  for (let t; (t = reader.tag(end)) !== 0;) {
    if (t === tagOf(1)) readPair(reader, attributes, depth);
    else reader.skip(t);
  }
  return attributes;
}
