import { FlexibleReader } from './flexible-reader.ts';
import { unsignedVarint } from './varint.ts';

/** Metadata in version 12 has each topic's id, which changes when the topic is recreated; kafkajs stops at version 6. */
export const metadataApi = { apiKey: 3, apiVersion: 12, apiName: 'Metadata' };

/** A cluster as one of its brokers sees it. */
export interface ClusterMetadata {
  clusterId: string;
  /** host:port by node id. */
  brokers: ReadonlyMap<number, string>;
  topics: readonly TopicMetadata[];
}

export interface TopicMetadata {
  /** Kafka's; 0 is none. */
  errorCode: number;
  name: string;
  /** 32 hexadecimal digits. */
  topicId: string;
  partitions: readonly PartitionMetadata[];
}

export interface PartitionMetadata {
  partition: number;
  /** A node id; -1 if there is none. */
  leader: number;
  /** Grows with each change of the leader: of two views, the one with the higher epoch is the newer. */
  leaderEpoch: number;
  replicas: readonly number[];
  /** The replicas in sync, which have all that was acknowledged. */
  inSync: readonly number[];
}

/** The request's header tags and body, for these topics. Source: https://kafka.apache.org/protocol#The_Messages_Metadata */
export function metadataRequest(topics: readonly string[]): Buffer {
  // Arrays and strings carry their length plus one; the topic is named by a null id and its name.
  const parts = [Buffer.from([0]), unsignedVarint(topics.length + 1)];
  for (const topic of topics) {
    const name = Buffer.from(topic);
    parts.push(Buffer.alloc(16), unsignedVarint(name.length + 1), name, Buffer.from([0]));
  }
  // No automatic creation, no authorised operations; tags.
  parts.push(Buffer.from([0, 0, 0]));
  return Buffer.concat(parts);
}

/** Reads the answer, from its header's tags on. */
export function readMetadata(data: Buffer): ClusterMetadata {
  const reader = new FlexibleReader(data);
  reader.skipTags();
  reader.skip(4);
  const brokers = new Map<number, string>();
  for (let count = reader.varint() - 1; count > 0; count--) {
    const id = reader.int32();
    const host = reader.text();
    brokers.set(id, `${host}:${reader.int32()}`);
    reader.text();
    reader.skipTags();
  }
  const clusterId = reader.text();
  reader.skip(4);
  const topics: TopicMetadata[] = [];
  for (let count = reader.varint() - 1; count > 0; count--) topics.push(readTopic(reader));
  return { clusterId, brokers, topics };
}

function readTopic(reader: FlexibleReader): TopicMetadata {
  const errorCode = reader.int16();
  const name = reader.text();
  const topicId = reader.bytes(16).toString('hex');
  // Whether it is internal.
  reader.skip(1);
  const partitions: PartitionMetadata[] = [];
  for (let count = reader.varint() - 1; count > 0; count--) {
    reader.skip(2);
    const [partition, leader, leaderEpoch] = [reader.int32(), reader.int32(), reader.int32()];
    const [replicas, inSync] = [readNodes(reader), readNodes(reader)];
    readNodes(reader);
    reader.skipTags();
    partitions.push({ partition, leader, leaderEpoch, replicas, inSync });
  }
  reader.skip(4);
  reader.skipTags();
  return { errorCode, name, topicId, partitions };
}

function readNodes(reader: FlexibleReader): number[] {
  return Array.from({ length: Math.max(0, reader.varint() - 1) }, () => reader.int32());
}
