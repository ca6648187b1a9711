import { crc32 } from 'node:zlib';
import type { LogRecord, NewRecord } from '../event-log.ts';

/** A batch ends at this many records or bytes: a reader that wants a part of it loads all of it. */
const maxRecords = 250;
const maxBytes = 256 * 1024;
const lengthBytes = 4;

/** Records that are stored together: consecutive offsets, one append time. */
export interface RecordBatch {
  /** The first record's offset. */
  offset: number;
  count: number;
  /** The append time, ms since 1970. */
  timestampMs: number;
  records: Uint8Array;
}

/** Puts records, in order, into batches from `offset` on. */
export function toBatches(records: readonly NewRecord[], offset: number, timestampMs: number): RecordBatch[] {
  const batches: RecordBatch[] = [];
  for (let start = 0; start < records.length;) {
    let end = start;
    for (let bytes = 0; end < records.length && end - start < maxRecords && bytes < maxBytes; end++) {
      bytes += records[end]!.value.length;
    }
    const part = records.slice(start, end);
    batches.push({ offset: offset + start, count: part.length, timestampMs, records: encode(part) });
    start = end;
  }
  return batches;
}

/** The batch's records from `fromOffset` on, at most `limit`. Their values are views of the batch. */
export function fromBatch(
  { offset, count, timestampMs, records }: RecordBatch,
  place: { topic: string; partition: number },
  fromOffset: number,
  limit: number,
): LogRecord[] {
  const bytes = Buffer.from(records.buffer, records.byteOffset, records.byteLength);
  const found: LogRecord[] = [];
  let at = 0;
  for (let i = 0; i < count && found.length < limit; i++) {
    const keyEnd = at + lengthBytes + Math.max(0, bytes.readInt32LE(at));
    const valueEnd = keyEnd + lengthBytes + bytes.readInt32LE(keyEnd);
    const headersEnd = valueEnd + lengthBytes + bytes.readInt32LE(valueEnd);
    if (offset + i >= fromOffset) {
      found.push({
        topic: place.topic,
        partition: place.partition,
        offset: offset + i,
        timestampMs,
        key: bytes.readInt32LE(at) < 0 ? null : bytes.toString('utf8', at + lengthBytes, keyEnd),
        value: bytes.subarray(keyEnd + lengthBytes, valueEnd),
        headers:
          headersEnd === valueEnd + lengthBytes
            ? noHeaders
            : (JSON.parse(bytes.toString('utf8', valueEnd + lengthBytes, headersEnd)) as Record<
                string,
                string
              >),
      });
    }
    at = headersEnd;
  }
  return found;
}

const noHeaders: Readonly<Record<string, string>> = Object.freeze({});

/** Each record as key, value and headers (JSON text), each behind its length; a null key has the length -1. */
function encode(records: readonly NewRecord[]): Buffer {
  const headers = records.map((record) =>
    record.headers === undefined ? '' : JSON.stringify(record.headers),
  );
  const size = records.reduce(
    (sum, { key, value }, i) =>
      sum + 3 * lengthBytes + Buffer.byteLength(key ?? '') + value.length + Buffer.byteLength(headers[i]!),
    0,
  );
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  const writeText = (text: string | null): void => {
    const length = text === null ? -1 : bytes.write(text, at + lengthBytes);
    bytes.writeInt32LE(length, at);
    at += lengthBytes + Math.max(0, length);
  };
  records.forEach(({ key, value }, i) => {
    writeText(key);
    at = bytes.writeInt32LE(value.length, at);
    bytes.set(value, at);
    at += value.length;
    writeText(headers[i]!);
  });
  return bytes;
}

const place = Buffer.alloc(24);

/** Covers the whole batch: its offset, count and append time as well as its records. */
export function checksum({ offset, count, timestampMs, records }: RecordBatch): number {
  place.writeDoubleLE(offset, 0);
  place.writeDoubleLE(count, 8);
  place.writeDoubleLE(timestampMs, 16);
  return crc32(records, crc32(place));
}

/** Whether the batch is intact. A batch of an earlier release has no checksum, and counts as intact if it can be parsed. */
export function isSound(batch: RecordBatch, crc: number | null): boolean {
  if (crc !== null) return checksum(batch) === crc;
  try {
    return fromBatch(batch, { topic: '', partition: 0 }, batch.offset, batch.count).length === batch.count;
  } catch {
    return false;
  }
}
