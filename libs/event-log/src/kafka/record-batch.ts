import type { LogRecord } from '../event-log.ts';
import { decompress } from './codecs/codecs.ts';

/** Records of one producer from this offset up to its abort marker are not to be seen. */
export interface AbortedTransaction {
  producerId: number;
  firstOffset: number;
}

export interface FetchedRecords {
  records: LogRecord[];
  /** Where to continue; beyond the last record if transaction markers follow it. */
  nextOffset: number;
  /** Of the batches that were read, as they are packed. */
  packedBytes: number;
}

const headerBytes = 61;
const compressionMask = 0x07;
const appendTimeFlag = 0x08;
const transactionalFlag = 0x10;
const controlFlag = 0x20;
const abortMarker = 0;

const noBytes = Buffer.alloc(0);
const noHeaders: Readonly<Record<string, string>> = Object.freeze({});

/**
 * The records of a fetch's answer for one partition, from `offset` on, without control records and without those of aborted transactions. A
 * batch that was cut off at the end is left for the next fetch, and so is what is beyond `maxRecords`: no batch is unpacked for it. Values are views of `bytes`, or of the decompressed bytes. kafkajs's own
 * reader makes a decoder, two big integers and a text for each record: most of what reading costs. Source:
 * https://kafka.apache.org/documentation/#recordbatch; aborted transactions as in KIP-98's consumer.
 */
export function readBatches(
  bytes: Buffer,
  { topic, partition, offset }: { topic: string; partition: number; offset: number },
  aborted: readonly AbortedTransaction[] = [],
  maxRecords = Infinity,
): FetchedRecords {
  const begun = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset);
  const abortedProducers = new Set<number>();
  const found: FetchedRecords = { records: [], nextOffset: offset, packedBytes: 0 };
  for (let at = 0; at + headerBytes <= bytes.length && found.records.length < maxRecords;) {
    const end = at + 12 + bytes.readInt32BE(at + 8);
    if (end > bytes.length) break;
    const batch = readHeader(bytes, at);
    while (begun.length > 0 && begun[0]!.firstOffset <= batch.lastOffset)
      abortedProducers.add(begun.shift()!.producerId);
    const body = bytes.subarray(at + headerBytes, end);
    if ((batch.attributes & controlFlag) !== 0) {
      if (isAbort(body)) abortedProducers.delete(batch.producerId);
    } else if ((batch.attributes & transactionalFlag) === 0 || !abortedProducers.has(batch.producerId)) {
      const records = decompress(batch.attributes & compressionMask, body);
      readRecords(records, batch, { topic, partition, offset }, found.records, maxRecords);
    }
    // The batch may have more than the wanted ones: it is fetched once more.
    const isFull = found.records.length >= maxRecords;
    const lastOffset = isFull ? found.records.at(-1)!.offset : batch.lastOffset;
    found.nextOffset = Math.max(found.nextOffset, lastOffset + 1);
    found.packedBytes = at = end;
  }
  return found;
}

interface BatchHeader {
  baseOffset: number;
  lastOffset: number;
  attributes: number;
  firstTimestamp: number;
  maxTimestamp: number;
  producerId: number;
  count: number;
}

function readHeader(bytes: Buffer, at: number): BatchHeader {
  const magic = bytes.readInt8(at + 16);
  if (magic !== 2) throw new Error(`record format ${magic} is older than Kafka 0.11`);
  const baseOffset = readInt64(bytes, at);
  return {
    baseOffset,
    lastOffset: baseOffset + bytes.readInt32BE(at + 23),
    attributes: bytes.readInt16BE(at + 21),
    firstTimestamp: readInt64(bytes, at + 27),
    maxTimestamp: readInt64(bytes, at + 35),
    producerId: readInt64(bytes, at + 43),
    count: bytes.readInt32BE(at + 57),
  };
}

/** Offsets and times stay below 2^53. */
export function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
}

function readRecords(
  bytes: Buffer,
  { baseOffset, attributes, firstTimestamp, maxTimestamp, count }: BatchHeader,
  { topic, partition, offset: fromOffset }: { topic: string; partition: number; offset: number },
  into: LogRecord[],
  maxRecords: number,
): void {
  const hasAppendTime = (attributes & appendTimeFlag) !== 0;
  const reader = new VarintReader(bytes);
  for (let i = 0; i < count && into.length < maxRecords; i++) {
    const length = reader.int();
    const end = reader.at + length;
    // Attributes of a record are not used by Kafka.
    reader.at++;
    const timestamp = firstTimestamp + reader.long();
    const offset = baseOffset + reader.int();
    if (offset >= fromOffset) {
      const keyLength = reader.int();
      const key = keyLength < 0 ? null : bytes.toString('utf8', reader.at, (reader.at += keyLength));
      const valueLength = reader.int();
      into.push({
        topic,
        partition,
        offset,
        timestampMs: hasAppendTime ? maxTimestamp : timestamp,
        key,
        value: valueLength < 0 ? noBytes : bytes.subarray(reader.at, (reader.at += valueLength)),
        headers: readHeaders(reader),
      });
    }
    reader.at = end;
  }
}

/** Other clients may write null values and several headers of one name: the last one counts. */
function readHeaders(reader: VarintReader): Readonly<Record<string, string>> {
  const count = reader.int();
  if (count === 0) return noHeaders;
  const entries: [string, string][] = [];
  for (let i = 0; i < count; i++) entries.push([reader.text(), reader.text()]);
  return Object.fromEntries(entries);
}

/** A control record's key is its version and its type, 16 bits each. */
function isAbort(bytes: Buffer): boolean {
  const reader = new VarintReader(bytes);
  reader.int();
  reader.at++;
  reader.long();
  reader.int();
  return reader.int() >= 4 && bytes.readInt16BE(reader.at + 2) === abortMarker;
}

/** Reads zigzag varints. */
class VarintReader {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#bytes[this.at++]!;
      value |= (byte & 127) << shift;
      if (byte < 128) return (value >>> 1) ^ -(value & 1);
    }
  }

  /** Up to 53 bits. */
  long(): number {
    const first = this.#bytes[this.at++]!;
    let value = first & 127;
    for (let byte = first, factor = 128; byte > 127; factor *= 128) {
      byte = this.#bytes[this.at++]!;
      value += (byte & 127) * factor;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** UTF-8 behind its length; '' for null. */
  text(): string {
    const length = Math.max(0, this.int());
    return this.#bytes.toString('utf8', this.at, (this.at += length));
  }
}
