import { FlexibleReader } from './flexible-reader.ts';
import type { AbortedTransaction } from './record-batch.ts';

export interface FetchedPartition {
  topicId: string;
  partition: number;
  /** Kafka's; 0 is none. */
  errorCode: number;
  /** The end that readers of committed records see. */
  lastStableOffset: number;
  aborted: AbortedTransaction[];
  /** Whole record batches, the last one perhaps cut off. */
  batches: Buffer;
}

export interface FetchAnswer {
  /** How long the broker asks the client to wait, in ms. */
  throttleMs: number;
  errorCode: number;
  partitions: FetchedPartition[];
}

/** Reads the answer to a fetch in version 13. Source: https://kafka.apache.org/protocol#The_Messages_Fetch */
export function readFetchAnswer(data: Buffer): FetchAnswer {
  const reader = new FlexibleReader(data);
  reader.skipTags();
  const throttleMs = reader.int32();
  const errorCode = reader.int16();
  // The session's id: there are none.
  reader.int32();
  const partitions: FetchedPartition[] = [];
  for (let topics = reader.varint() - 1; topics > 0; topics--) {
    const topicId = reader.bytes(16).toString('hex');
    for (let count = reader.varint() - 1; count > 0; count--) partitions.push(readPartition(reader, topicId));
    reader.skipTags();
  }
  return { throttleMs, errorCode, partitions };
}

function readPartition(reader: FlexibleReader, topicId: string): FetchedPartition {
  const partition = reader.int32();
  const errorCode = reader.int16();
  const highWatermark = reader.int64();
  const lastStableOffset = reader.int64();
  // The start of the log.
  reader.int64();
  const aborted: AbortedTransaction[] = [];
  for (let count = reader.varint() - 1; count > 0; count--) {
    aborted.push({ producerId: reader.int64(), firstOffset: reader.int64() });
    reader.skipTags();
  }
  // The replica that is preferred for reading.
  reader.int32();
  const batches = reader.bytes(Math.max(0, reader.varint() - 1));
  reader.skipTags();
  return {
    topicId,
    partition,
    errorCode,
    lastStableOffset: lastStableOffset < 0 ? highWatermark : lastStableOffset,
    aborted,
    batches,
  };
}
