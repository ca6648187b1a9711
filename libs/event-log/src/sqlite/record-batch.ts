import { shortText } from '@logloom/schemas';
import { crc32 } from 'node:zlib';
import type { LogRecord, NewRecord } from '../event-log.ts';
import { batchFormats, pack, unpack, type Packed } from './batch-format.ts';
import { readRuns, type Run } from './batch-runs.ts';

/** A batch ends at this many records or bytes: a reader that wants a part of it loads all of it. */
const maxRecords = 1000;
const maxBytes = 512 * 1024;
const lengthBytes = 4;

/** Records that are stored together: consecutive offsets. Those of one append have one append time, joined ones each their own. */
export interface RecordBatch extends Packed {
  /** The first record's offset. */
  offset: number;
  count: number;
  /** The append time of the first record, ms since 1970. */
  timestampMs: number;
}

/** The records of a batch, unpacked. */
export interface UnpackedBatch {
  offset: number;
  count: number;
  /** Each record as encode() writes it. */
  bytes: Buffer;
  /** The append times, in the order of the records. */
  runs: readonly Run[];
}

/** Puts records, in order, into batches from `offset` on. */
export function toBatches(records: readonly NewRecord[], offset: number, timestampMs: number): RecordBatch[] {
  const batches: RecordBatch[] = [];
  for (let start = 0; start < records.length;) {
    let end = start;
    for (let bytes = 0; end < records.length && end - start < maxRecords && bytes < maxBytes; end++) {
      bytes += records[end]!.value.length;
    }
    const part = start === 0 && end === records.length ? records : records.slice(start, end);
    batches.push({ offset: offset + start, count: part.length, timestampMs, ...pack(encode(part)) });
    start = end;
  }
  return batches;
}

/** Throws where the bytes are not those of a batch. */
export function unpackBatch(batch: RecordBatch): UnpackedBatch {
  const { offset, count, timestampMs } = batch;
  const bytes = unpack(batch);
  if (batch.format !== batchFormats.joined) return { offset, count, bytes, runs: [{ count, timestampMs }] };
  const { runs, end } = readRuns(bytes);
  return { offset, count, bytes: bytes.subarray(end), runs };
}

/** The batch's records from `fromOffset` on, at most `limit`. Their values are views of the batch. */
export function fromBatch(
  { offset, count, bytes, runs }: UnpackedBatch,
  place: { topic: string; partition: number },
  fromOffset: number,
  limit: number,
): LogRecord[] {
  const found: LogRecord[] = [];
  const first = Math.max(0, fromOffset - offset);
  const last = Math.min(count, first + limit);
  if (first >= last) return found;
  let at = skipRecords(bytes, first);
  let run = 0;
  let runEnd = runs[0]?.count ?? 0;
  for (let i = first; i < last; i++) {
    while (i >= runEnd) runEnd += runs[++run]!.count;
    const keyEnd = at + lengthBytes + Math.max(0, bytes.readInt32LE(at));
    const valueEnd = keyEnd + lengthBytes + bytes.readInt32LE(keyEnd);
    const headersEnd = valueEnd + lengthBytes + bytes.readInt32LE(valueEnd);
    found.push({
      topic: place.topic,
      partition: place.partition,
      offset: offset + i,
      timestampMs: runs[run]!.timestampMs,
      key: bytes.readInt32LE(at) < 0 ? null : shortText(bytes, at + lengthBytes, keyEnd),
      value: bytes.subarray(keyEnd + lengthBytes, valueEnd),
      headers:
        headersEnd === valueEnd + lengthBytes
          ? noHeaders
          : (JSON.parse(bytes.toString('utf8', valueEnd + lengthBytes, headersEnd)) as Record<
              string,
              string
            >),
    });
    at = headersEnd;
  }
  return found;
}

/** Where the record with this index begins. */
export function skipRecords(bytes: Buffer, index: number): number {
  let at = 0;
  for (let i = 0; i < index; i++) {
    at += lengthBytes + Math.max(0, bytes.readInt32LE(at));
    at += lengthBytes + bytes.readInt32LE(at);
    at += lengthBytes + bytes.readInt32LE(at);
  }
  return at;
}

const noHeaders: Readonly<Record<string, string>> = Object.freeze({});

/** Each record as key, value and headers (JSON text), each behind its length; a null key has the length -1. */
function encode(records: readonly NewRecord[]): Buffer {
  const headers = records.map((record) =>
    record.headers === undefined ? '' : JSON.stringify(record.headers),
  );
  let size = 0;
  // At most three bytes for each unit of a text: the true length is known once it is written.
  for (const [i, { key, value }] of records.entries())
    size += 3 * lengthBytes + 3 * (key?.length ?? 0) + value.length + 3 * headers[i]!.length;
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  const writeText = (text: string | null): void => {
    const length = text === null ? -1 : text === '' ? 0 : bytes.write(text, at + lengthBytes);
    bytes.writeInt32LE(length, at);
    at += lengthBytes + Math.max(0, length);
  };
  for (const [i, { key, value }] of records.entries()) {
    writeText(key);
    at = bytes.writeInt32LE(value.length, at);
    bytes.set(value, at);
    at += value.length;
    writeText(headers[i]!);
  }
  return bytes.subarray(0, at);
}

const place = Buffer.alloc(40);
const plainPlaceBytes = 24;

/** Covers the whole batch: its place and format as well as its records, as they are stored. */
export function checksum({ offset, count, timestampMs, format, size, records }: RecordBatch): number {
  place.writeDoubleLE(offset, 0);
  place.writeDoubleLE(count, 8);
  place.writeDoubleLE(timestampMs, 16);
  place.writeDoubleLE(format, 24);
  place.writeDoubleLE(size, 32);
  // Plain rows have the checksum that they always had.
  return crc32(records, crc32(format === batchFormats.plain ? place.subarray(0, plainPlaceBytes) : place));
}

/** Whether the batch is intact. A batch of an earlier release has no checksum, and counts as intact if it can be parsed. */
export function isSound(batch: RecordBatch, crc: number | null): boolean {
  if (crc !== null) return checksum(batch) === crc;
  try {
    const all = unpackBatch(batch);
    return fromBatch(all, { topic: '', partition: 0 }, batch.offset, batch.count).length === batch.count;
  } catch {
    return false;
  }
}
