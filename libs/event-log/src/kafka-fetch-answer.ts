import { readInt64, type AbortedTransaction } from './kafka-record-batch.ts';

export interface FetchedPartition {
  topic: string;
  partition: number;
  /** Kafka's; 0 is none. */
  errorCode: number;
  /** The end for readers of committed records only. */
  lastStableOffset: number;
  aborted: AbortedTransaction[];
  /** Whole record batches, the last one perhaps cut off. */
  batches: Buffer;
}

export interface FetchAnswer {
  /** How long the broker asks to be left alone, in ms. */
  throttleMs: number;
  errorCode: number;
  partitions: FetchedPartition[];
}

/** Reads the answer to a fetch in version 11. Source: https://kafka.apache.org/protocol#The_Messages_Fetch */
export function readFetchAnswer(data: Buffer): FetchAnswer {
  const reader = new Reader(data);
  const throttleMs = reader.int32();
  const errorCode = reader.int16();
  // The session's id: there are none.
  reader.int32();
  const partitions: FetchedPartition[] = [];
  for (let topics = reader.int32(); topics > 0; topics--) {
    const topic = reader.bytes(reader.int16()).toString();
    for (let count = reader.int32(); count > 0; count--) partitions.push(readPartition(reader, topic));
  }
  return { throttleMs, errorCode, partitions };
}

function readPartition(reader: Reader, topic: string): FetchedPartition {
  const partition = reader.int32();
  const errorCode = reader.int16();
  const highWatermark = reader.int64();
  const lastStableOffset = reader.int64();
  // The start of the log.
  reader.int64();
  const aborted: AbortedTransaction[] = [];
  for (let count = reader.int32(); count > 0; count--)
    aborted.push({ producerId: reader.int64(), firstOffset: reader.int64() });
  // The replica that is preferred for reading.
  reader.int32();
  return {
    topic,
    partition,
    errorCode,
    lastStableOffset: lastStableOffset < 0 ? highWatermark : lastStableOffset,
    aborted,
    batches: reader.bytes(Math.max(0, reader.int32())),
  };
}

class Reader {
  readonly #data: Buffer;
  #at = 0;

  constructor(data: Buffer) {
    this.#data = data;
  }

  int16(): number {
    return this.#data.readInt16BE((this.#at += 2) - 2);
  }

  int32(): number {
    return this.#data.readInt32BE((this.#at += 4) - 4);
  }

  int64(): number {
    return readInt64(this.#data, (this.#at += 8) - 8);
  }

  bytes(length: number): Buffer {
    return this.#data.subarray(this.#at, (this.#at += length));
  }
}
