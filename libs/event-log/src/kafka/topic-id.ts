import { FlexibleReader } from './flexible-reader.ts';
import { EncoderClass, errorFromCode, type Broker, type ProtocolRequest } from './internals.ts';

/** Metadata in version 12 has each topic's id, which is new when the topic is made anew; kafkajs stops at version 6. */
const metadataApi = { apiKey: 3, apiVersion: 12, apiName: 'Metadata' };

export interface TopicIdentity {
  clusterId: string;
  /** 32 hexadecimal digits. */
  topicId: string;
}

/**
 * The identity of a cluster and of one of its topics; both stay over restarts of the brokers. Throws kafkajs's errors, such as
 * UNKNOWN_TOPIC_OR_PARTITION.
 * Source: https://kafka.apache.org/protocol (Metadata, flexible versions) and KIP-516.
 */
export async function topicIdentity(broker: Broker, topic: string): Promise<TopicIdentity> {
  return (await broker.connectionPool.send(metadataRequest(topic))) as TopicIdentity;
}

function metadataRequest(topic: string): ProtocolRequest {
  return {
    request: {
      ...metadataApi,
      encode: async () => {
        const name = Buffer.from(topic);
        const encoder = new EncoderClass();
        // The header's tags; one topic (arrays and strings carry their length plus one); no id; its name; tags.
        encoder.writeBufferInternal(Buffer.from([0, 2]));
        encoder.writeBufferInternal(Buffer.alloc(16));
        encoder.writeBufferInternal(Buffer.concat([unsignedVarint(name.length + 1), name, Buffer.from([0])]));
        // No automatic creation, no authorised operations; tags.
        encoder.writeBufferInternal(Buffer.from([0, 0, 0]));
        return encoder;
      },
    },
    response: { decode: async (data) => readIdentity(data), parse: async (identity) => identity },
  };
}

function readIdentity(data: Buffer): TopicIdentity {
  const reader = new FlexibleReader(data);
  reader.skipTags();
  reader.skip(4);
  for (let brokers = reader.varint() - 1; brokers > 0; brokers--) {
    reader.skip(4);
    reader.text();
    reader.skip(4);
    reader.text();
    reader.skipTags();
  }
  const clusterId = reader.text();
  reader.skip(4);
  reader.varint();
  const error = reader.int16();
  reader.text();
  const topicId = reader.bytes(16).toString('hex');
  if (error !== 0) throw errorFromCode(error);
  return { clusterId, topicId };
}

export function unsignedVarint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return Buffer.from([...bytes, value]);
}

/** The id as the protocol has it. */
export function topicIdBytes(topicId: string): Buffer {
  return Buffer.from(topicId, 'hex');
}
