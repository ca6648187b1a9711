import { isUtf8 } from 'node:buffer';
import { RejectedError } from '../../errors.ts';
import type { Labels, LokiEntry, LokiStream } from './loki-push.ts';
import { parseLabels } from './parse-labels.ts';
import { MessageReader, protobufField, readProtobuf, tagOf } from '../protobuf-reader.ts';
import { groupBytes, type RequestCost } from '../../admission/request-cost.ts';

// Field numbers: Loki, pkg/push/push.proto; google.protobuf.Timestamp.
const secondsTag = 8;
const nanosTag = 16;

/** Returns the streams of a PushRequest; the entries are not parsed. Throws RejectedError when its frame is broken. */
export function readLokiProtobuf(body: Buffer, cost: RequestCost): LokiStream<Buffer>[] {
  return readProtobuf(() => {
    const streams: LokiStream<Buffer>[] = [];
    const reader = new MessageReader(body);
    for (let t; (t = reader.tag(reader.end)) !== 0;) {
      if (t === tagOf(1)) streams.push(readStream(reader.bytes(), cost));
      else reader.skip(t);
    }
    return streams;
  });
}

function readStream(bytes: Buffer, cost: RequestCost): LokiStream<Buffer> {
  cost.add(groupBytes);
  const reader = new MessageReader(bytes);
  const entries: Buffer[] = [];
  let labels = '{}';
  for (let t; (t = reader.tag(reader.end)) !== 0;) {
    if (t === tagOf(1)) labels = sharedText(reader, cost);
    else if (t === tagOf(2)) {
      cost.events(1);
      entries.push(reader.bytes());
    } else reader.skip(t);
  }
  return {
    labels: parseLabels(labels),
    entries,
    part: protobufPart,
    deadLetter: (parts) => writeDeadLetter(labels, parts),
  };
}

function sharedText(reader: MessageReader, cost: RequestCost): string {
  const bytes = reader.bytes();
  cost.shared(bytes.length);
  if (!isUtf8(bytes)) throw new RejectedError('invalid-utf8');
  return bytes.toString('utf8');
}

const protobufPart = (entry: Buffer): Buffer => protobufField(2, entry);

function writeDeadLetter(labels: string, entries: Buffer): Buffer {
  const text = Buffer.from(labels);
  const stream = Buffer.concat([protobufField(1, text), entries]);
  return protobufField(1, stream);
}

/** Reads an EntryAdapter. Throws RejectedError `bad-protobuf`, `invalid-utf8`. */
export function readProtobufEntry(bytes: Buffer): LokiEntry {
  return readProtobuf(() => {
    const reader = new MessageReader(bytes);
    const entry: LokiEntry = { timeNanos: 0n, line: '', metadata: Object.create(null) as Labels };
    for (let t; (t = reader.tag(reader.end)) !== 0;) {
      if (t === tagOf(1)) entry.timeNanos = readTime(reader);
      else if (t === tagOf(2)) entry.line = reader.text();
      else if (t === tagOf(3)) readPair(reader, entry.metadata);
      else reader.skip(t);
    }
    return entry;
  });
}

function readTime(reader: MessageReader): bigint {
  const end = reader.length();
  let seconds = 0n;
  let nanos = 0n;
  for (let t; (t = reader.tag(end)) !== 0;) {
    if (t === secondsTag) seconds = reader.int64();
    else if (t === nanosTag) nanos = reader.int64();
    else reader.skip(t);
  }
  return seconds * 1_000_000_000n + nanos;
}

function readPair(reader: MessageReader, labels: Labels): void {
  const end = reader.length();
  let name = '';
  let value = '';
  for (let t; (t = reader.tag(end)) !== 0;) {
    if (t === tagOf(1)) name = reader.text();
    else if (t === tagOf(2)) value = reader.text();
    else reader.skip(t);
  }
  labels[name] = value;
}
