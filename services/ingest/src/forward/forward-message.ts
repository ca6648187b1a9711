import { RejectedError } from '../errors.ts';
import { endOfValue, Extension, ValueReader, type PackedValue } from './message-pack.ts';

/** A message of the Forward protocol, its entries still packed. */
export interface ForwardMessage {
  tag: string;
  /** `entries` (Forward), `packed` (PackedForward) or one entry in two values (Message). */
  content: { kind: 'entries' | 'packed' | 'entry'; bytes: Buffer; count: number };
  /** What the sender wants to have acknowledged. */
  chunk: string | undefined;
  /** How the packed entries are compressed: '' for not at all. */
  compressed: string;
}

/** One event, still packed. */
export interface ForwardEntry {
  time: number | undefined;
  record: Record<string, PackedValue>;
}

const noBytes = Buffer.alloc(0);

/**
 * Reads a message in one of the three modes of the Forward protocol, v1. Returns undefined for a heartbeat. Throws RejectedError
 * `bad-msgpack`, `wrong-shape`.
 */
export function readForwardMessage(bytes: Buffer): ForwardMessage | undefined {
  if (bytes[0] === 0xc0) return undefined;
  const reader = new ValueReader(bytes);
  const count = reader.array();
  if (count === undefined || count < 2 || count > 4)
    throw wrong('a message is an array of two to four values');
  const tag = reader.bytes();
  if (tag === undefined) throw wrong('the tag is not a text');
  const message: ForwardMessage = {
    tag: tag.toString(),
    content: { kind: 'entry', bytes: noBytes, count: 1 },
    chunk: undefined,
    compressed: '',
  };
  const start = reader.at;
  const packed = reader.bytes();
  let read = 2;
  if (packed !== undefined) message.content = { kind: 'packed', bytes: packed, count: 0 };
  else {
    const entries = reader.array();
    if (entries !== undefined) {
      const begin = reader.at;
      for (let i = 0; i < entries; i++) reader.skip();
      message.content = { kind: 'entries', bytes: bytes.subarray(begin, reader.at), count: entries };
    } else {
      if (count < 3) throw wrong('a message has a time and a record, or entries');
      reader.skip();
      reader.skip();
      message.content = { kind: 'entry', bytes: bytes.subarray(start, reader.at), count: 1 };
      read = 3;
    }
  }
  if (read < count) readOption(reader.value(), message);
  return message;
}

function readOption(option: PackedValue, message: ForwardMessage): void {
  if (option === null) return;
  if (!isMap(option)) throw wrong('the option is not a map');
  const { chunk, compressed } = option;
  if (typeof chunk === 'string') message.chunk = chunk;
  if (typeof compressed === 'string' && compressed !== 'text') message.compressed = compressed;
}

/** Yields the bytes of each entry. Throws RejectedError `bad-msgpack` where they do not follow one another. */
export function* entriesOf({ kind, bytes }: ForwardMessage['content']): Generator<Buffer> {
  if (kind === 'entry') {
    yield bytes;
    return;
  }
  for (let at = 0; at < bytes.length;) {
    const end = endOfValue(bytes, at);
    yield bytes.subarray(at, end);
    at = end;
  }
}

/** Reads an entry: time and record, in an array unless it is that of a Message. Throws RejectedError. */
export function readEntry(bytes: Buffer, kind: ForwardMessage['content']['kind']): ForwardEntry {
  const reader = new ValueReader(bytes);
  if (kind !== 'entry' && reader.array() !== 2) throw wrong('an entry is an array of a time and a record');
  const time = reader.value();
  const record = reader.value();
  if (!isMap(record)) throw wrong('the record is not a map');
  plain(record);
  // Fluent Bit 2 and later: [time, metadata].
  const withMetadata = Array.isArray(time) && time.length === 2;
  if (withMetadata && isMap(time[1]!) && Object.keys(time[1]).length > 0 && !('metadata' in record)) {
    plain(time[1]);
    record['metadata'] = time[1];
  }
  return { time: microsOf(withMetadata ? time[0]! : time), record };
}

/** Microseconds since 1970 of seconds or an EventTime; undefined for 0, which means unknown. */
function microsOf(time: PackedValue): number | undefined {
  if (time instanceof Extension) {
    if (time.type !== 0 || time.bytes.length !== 8) throw wrong('the time is of an unknown type');
    const micros = time.bytes.readUInt32BE(0) * 1e6 + Math.floor(time.bytes.readUInt32BE(4) / 1000);
    return micros === 0 ? undefined : micros;
  }
  if (typeof time !== 'number') throw wrong('the time is not a number of seconds');
  return time <= 0 || !Number.isFinite(time) ? undefined : Math.round(time * 1e6);
}

/** Replaces values of unknown types by their bytes. */
function plain(map: Record<string, PackedValue>): void {
  for (const name in map) {
    const value = map[name];
    if (value instanceof Extension) map[name] = value.bytes.toString('base64');
    else if (typeof value === 'object' && value !== null) plain(value as Record<string, PackedValue>);
  }
}

function isMap(value: PackedValue): value is Record<string, PackedValue> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !Buffer.isBuffer(value) &&
    !(value instanceof Extension)
  );
}

function wrong(detail: string): RejectedError {
  return new RejectedError('wrong-shape', detail);
}
