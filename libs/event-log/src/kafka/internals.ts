import type kafkajs from 'kafkajs';
import type { Assigner, ISocketFactory, logCreator, PartitionAssigner } from 'kafkajs';
import { createRequire } from 'node:module';

/*
 * The parts of kafkajs 2.2.4 below its consumer. Its consumer cannot read a partition at an arbitrary offset without joining a group,
 * cannot delay a rebalance until the last work is done, and cannot distinguish the end of a partition from a pause; its cluster, broker and
 * group classes allow all three. The version is pinned exactly and is kafkajs's last one; the contract suite covers every path.
 */

/** A connected view of the cluster: metadata, connections, leaders. */
export interface Cluster {
  targetTopics: Set<string>;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  isConnected(): boolean;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  removeBroker(address: { host: string; port: number }): void;
  findTopicPartitionMetadata(topic: string): { partitionId: number; leader: number }[];
  findBroker(options: { nodeId: string }): Promise<Broker>;
  findControllerBroker(): Promise<Broker>;
  findGroupCoordinator(options: { groupId: string }): Promise<Broker>;
  fetchTopicsOffset(
    topics: readonly {
      topic: string;
      partitions: readonly { partition: number }[];
      fromBeginning?: boolean;
      fromTimestamp?: number;
    }[],
  ): Promise<{ topic: string; partitions: { partition: number; offset: string }[] }[]>;
}

export interface Broker {
  nodeId: number;
  connectionPool: { readonly sasl: unknown; send(request: ProtocolRequest): Promise<unknown> };
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  heartbeat(request: { groupId: string; groupGenerationId: number; memberId: string }): Promise<void>;
  offsetCommit(request: {
    groupId: string;
    groupGenerationId: number;
    memberId: string;
    topics: { topic: string; partitions: { partition: number; offset: string; metadata: string }[] }[];
  }): Promise<void>;
  offsetFetch(request: {
    groupId: string;
    topics: { topic: string; partitions: { partition: number }[] }[];
  }): Promise<{
    responses: {
      topic: string;
      partitions: { partition: number; offset: string; metadata: string | null }[];
    }[];
  }>;
}

export interface ProtocolRequest {
  request: { apiKey: number; apiVersion: number; apiName: string; encode: () => Promise<unknown> };
  response: { decode: (data: Buffer) => Promise<unknown>; parse: (data: unknown) => Promise<unknown> };
  /** In ms; default that of the cluster. */
  requestTimeout?: number;
}

/** Membership in a consumer group: kafkajs's own state between join and leave. */
export interface ConsumerGroup {
  coordinator: Broker;
  generationId: number;
  memberId: string | null;
  joinAndSync(): Promise<void>;
  leave(): Promise<void>;
  assigned(): { topic: string; partitions: number[] }[];
}

export interface Encoder {
  /** Appends the bytes as they are. */
  writeBufferInternal(bytes: Buffer): void;
}

const require = createRequire(import.meta.url);

interface ClusterOptions {
  logger: unknown;
  socketFactory: ISocketFactory;
  /** host:port of those to begin with. */
  brokers: () => Promise<string[]>;
  clientId: string;
  sasl: kafkajs.SASLOptions | undefined;
  connectionTimeout: number;
  requestTimeout: number;
  enforceRequestTimeout: boolean;
  metadataMaxAge: number;
  retry: kafkajs.RetryOptions;
  allowAutoTopicCreation: boolean;
  isolationLevel: number;
}

export const ClusterClass = require('kafkajs/src/cluster') as new (options: ClusterOptions) => Cluster;

/** The connections of one broker. */
export const ConnectionPoolClass = require('kafkajs/src/network/connectionPool') as new (options: {
  host: string;
  port: number;
  clientId: string;
  logger: unknown;
  sasl: kafkajs.SASLOptions | undefined;
  socketFactory: ISocketFactory;
  connectionTimeout: number;
  requestTimeout: number;
  enforceRequestTimeout: boolean;
}) => Broker['connectionPool'];

export const BrokerClass = require('kafkajs/src/broker') as new (options: {
  connectionPool: Broker['connectionPool'];
  logger: unknown;
}) => Broker;

/** kafkajs's error for an error code of Kafka. */
export const { createErrorFromCode: errorFromCode } = require('kafkajs/src/protocol/error') as {
  createErrorFromCode: (code: number) => Error;
};

export const ConsumerGroupClass = require('kafkajs/src/consumer/consumerGroup') as new (options: {
  cluster: Cluster;
  groupId: string;
  topics: readonly string[];
  topicConfigurations: Record<string, { fromBeginning: boolean }>;
  logger: unknown;
  instrumentationEmitter: unknown;
  assigners: Assigner[];
  sessionTimeout: number;
  rebalanceTimeout: number;
  autoCommit: boolean;
  retry: kafkajs.RetryOptions;
}) => ConsumerGroup;

export const EncoderClass = require('kafkajs/src/protocol/encoder') as new () => Encoder;

export const InstrumentationEmitter = require('kafkajs/src/instrumentation/emitter') as new () => object;

const { createLogger } = require('kafkajs/src/loggers') as {
  createLogger: (options: { level: kafkajs.logLevel; logCreator: logCreator }) => unknown;
};

/** kafkajs logs expected and retried failures at the level ERROR; those that matter are thrown. */
export const silence: { logLevel: kafkajs.logLevel; logCreator: logCreator } = {
  logLevel: 0,
  logCreator: () => () => {},
};

export const silentLogger = createLogger({ level: silence.logLevel, logCreator: silence.logCreator });

/** Makes a partition assigner for a cluster; kafkajs's type wants more of the cluster than the assigners use. */
export function makeAssigner(assigner: PartitionAssigner, cluster: Cluster, groupId: string): Assigner {
  return (assigner as unknown as (config: { cluster: Cluster; groupId: string }) => Assigner)({
    cluster,
    groupId,
  });
}

interface RequestQueue {
  pending: unknown[];
  throttledUntil: number;
  scheduleCheckPendingRequests(): void;
}

const { prototype: queue } = require('kafkajs/src/network/requestQueue') as { prototype: RequestQueue };
// eslint-disable-next-line @typescript-eslint/unbound-method
const schedule = queue.scheduleCheckPendingRequests;

/** Unpatched, each connection runs a timer every millisecond, and Node warns about its negative time: only a queue needs one. */
queue.scheduleCheckPendingRequests = function (): void {
  if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this);
};

/**
 * Creates sockets and is called for each request on them; the returned function is called when the request is answered or no longer waits.
 */
export type WatchedSocketFactory = ISocketFactory & {
  asks?: (address: string) => (isAnswered: boolean) => void;
};

interface Connection {
  readonly broker: string;
  readonly socketFactory: WatchedSocketFactory;
  readonly socket?: ReturnType<ISocketFactory>;
  send(request: ProtocolRequest): Promise<unknown>;
  disconnect(): Promise<true>;
  rejectRequests(error: Error): void;
}

const { prototype: connection } = require('kafkajs/src/network/connection') as { prototype: Connection };
// eslint-disable-next-line @typescript-eslint/unbound-method
const { send, disconnect } = connection;

/** Unpatched, a request that is written while its connection closes waits forever, and so does every later disconnect. */
connection.disconnect = async function (): Promise<true> {
  await disconnect.call(this);
  this.rejectRequests(new Error('the connection was closed'));
  return true;
};

/** Unpatched, a connection stays in use after a request on it timed out, so the next request times out too. */
connection.send = async function (request: ProtocolRequest): Promise<unknown> {
  const settle = this.socketFactory.asks?.(this.broker);
  try {
    const answer = await send.call(this, request);
    settle?.(true);
    return answer;
  } catch (error) {
    const { name, type } = error as { name: string; type?: string };
    settle?.(type !== undefined);
    if (name === 'KafkaJSRequestTimeoutError') this.socket?.destroy(error as Error);
    throw error;
  }
};

/**
 * Messages of one partition. kafkajs groups a send's messages by partition with their reduce(), and copies the group for each of them: the
 * largest cost of a batch of thousands. This class reports that it is one group.
 */
export function asOneGroup(partition: number, messages: kafkajs.Message[]): kafkajs.Message[] {
  return Object.defineProperty(messages, 'reduce', {
    value: () => ({ [partition]: messages }),
    configurable: true,
  });
}

/** Readers see the records of committed transactions only. */
export const readCommitted = 1;
