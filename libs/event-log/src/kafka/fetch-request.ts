import { EncoderClass, readCommitted, type ProtocolRequest } from './internals.ts';
import { topicIdBytes } from './topic-id.ts';
import { unsignedVarint } from './varint.ts';

/**
 * Version 13 names topics by their ids (KIP-516): a fetch by the id of a deleted topic is refused, while its name would match the recreated
 * one.
 */
const fetchApi = { apiKey: 1, apiVersion: 13, apiName: 'Fetch' };

/** A place in a partition from which to fetch. */
export interface FetchPosition {
  topic: string;
  /** The topic whose offsets these are: 32 hexadecimal digits. */
  topicId: string;
  partition: number;
  offset: number;
}

export interface FetchLimits {
  /** How long the broker may wait for the first byte, in ms; 0: not at all. */
  waitMs: number;
  answerBytes: number;
  partitionBytes: number;
}

const noTags = 0;

/** A fetch of committed records. Source: https://kafka.apache.org/protocol#The_Messages_Fetch */
export function fetchRequest(
  positions: readonly FetchPosition[],
  limits: FetchLimits,
): ProtocolRequest['request'] {
  return {
    ...fetchApi,
    encode: async () => {
      const encoder = new EncoderClass();
      encoder.writeBufferInternal(encode(positions, limits));
      return encoder;
    },
  };
}

function encode(positions: readonly FetchPosition[], limits: FetchLimits): Buffer {
  const { waitMs, answerBytes, partitionBytes } = limits;
  const head = Buffer.alloc(1 + 4 * 4 + 1 + 4 + 4);
  let at = head.writeUInt8(noTags);
  // No replica; the least that an answer holds.
  for (const value of [-1, waitMs, waitMs === 0 ? 0 : 1, answerBytes]) at = head.writeInt32BE(value, at);
  at = head.writeInt8(readCommitted, at);
  // Without a session.
  at = head.writeInt32BE(0, at);
  head.writeInt32BE(-1, at);
  const parts: Buffer[] = [head];
  const topics = Map.groupBy(positions, ({ topicId }) => topicId);
  parts.push(unsignedVarint(topics.size + 1));
  for (const [topicId, places] of topics) {
    parts.push(topicIdBytes(topicId), unsignedVarint(places.length + 1));
    for (const { partition, offset } of places) parts.push(place(partition, offset, partitionBytes));
    parts.push(Buffer.from([noTags]));
  }
  // Nothing to forget, no rack, no tags.
  parts.push(Buffer.from([1, 1, noTags]));
  return Buffer.concat(parts);
}

function place(partition: number, offset: number, maxBytes: number): Buffer {
  const bytes = Buffer.alloc(4 + 4 + 8 + 4 + 8 + 4 + 1);
  let at = bytes.writeInt32BE(partition);
  // The leader's epoch is not checked.
  at = bytes.writeInt32BE(-1, at);
  at = bytes.writeBigInt64BE(BigInt(offset), at);
  // Nor is the epoch of the last record, and this is no follower with a start of its own.
  at = bytes.writeInt32BE(-1, at);
  at = bytes.writeBigInt64BE(-1n, at);
  at = bytes.writeInt32BE(maxBytes, at);
  bytes.writeUInt8(noTags, at);
  return bytes;
}
