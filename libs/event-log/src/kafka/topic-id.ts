import { metadataApi, metadataRequest, readMetadata } from './cluster-metadata.ts';
import { EncoderClass, errorFromCode, type Broker } from './internals.ts';

export interface TopicIdentity {
  clusterId: string;
  /** 32 hexadecimal digits. */
  topicId: string;
}

/**
 * The identity of a cluster and of one of its topics; both survive restarts of the brokers. Throws kafkajs's errors, such as
 * UNKNOWN_TOPIC_OR_PARTITION. Source: https://kafka.apache.org/protocol (Metadata, flexible versions) and KIP-516.
 */
export async function topicIdentity(broker: Broker, topic: string): Promise<TopicIdentity> {
  return (await broker.connectionPool.send({
    request: {
      ...metadataApi,
      encode: async () => {
        const encoder = new EncoderClass();
        encoder.writeBufferInternal(metadataRequest([topic]));
        return encoder;
      },
    },
    response: { decode: async (data) => readIdentity(data), parse: async (identity) => identity },
  })) as TopicIdentity;
}

function readIdentity(data: Buffer): TopicIdentity {
  const { clusterId, topics } = readMetadata(data);
  const { errorCode, topicId } = topics[0]!;
  if (errorCode !== 0) throw errorFromCode(errorCode);
  return { clusterId, topicId };
}

/** The id as the protocol encodes it. */
export function topicIdBytes(topicId: string): Buffer {
  return Buffer.from(topicId, 'hex');
}
