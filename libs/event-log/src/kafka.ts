import { createHash } from 'node:crypto';
import {
  EventLogError,
  type Commit,
  type ConsumeOptions,
  type EventLog,
  type FollowOptions,
  type LogRecord,
  type NewRecord,
  type TopicSpec,
} from './event-log.ts';
import { registerCodecs } from './kafka-codecs.ts';
import { KafkaConnection } from './kafka-connection.ts';
import { KafkaConsumer } from './kafka-consumer.ts';
import { follow } from './kafka-follower.ts';
import { kafkaSettings, type KafkaOptions, type KafkaSettings } from './kafka-options.ts';
import { KafkaAppender } from './kafka-producer.ts';
import { KafkaReader } from './kafka-reader.ts';
import { topicIdentity } from './kafka-topic-id.ts';
import { KafkaTopics } from './kafka-topics.ts';

/**
 * The log on Kafka. Any number of instances, processes and machines.
 *
 * What differs from the embedded log
 * - Durable means: on min.insync.replicas brokers (2 of 3 in a cluster). Append times are the partition leader's clock: they fall
 *   when leadership moves to a broker whose clock is behind, so brokers need synchronised clocks.
 * - An append that had to be sent again through a new producer may be in the log twice, also when it succeeds; the offsets are
 *   those of the last copy. A rejected one also rejects what was appended to the same partition after it and is not stored yet.
 * - Offsets may have holes, where other clients write transactions; records of open and aborted transactions are not seen.
 * - trim() works to the record. Deleting a topic also drops what was committed on it.
 */
export class KafkaEventLog implements EventLog {
  readonly epoch: string;
  readonly #settings: KafkaSettings;
  readonly #topics: KafkaTopics;
  readonly #appender: KafkaAppender;
  readonly #connection: KafkaConnection;
  readonly #reader: KafkaReader;

  /** Connects and makes the topics. Throws EventLogError `topic-mismatch` or, after the option's patience, `log-unavailable`. */
  static async open(options: KafkaOptions, topics: readonly TopicSpec[]): Promise<KafkaEventLog> {
    registerCodecs();
    const settings = kafkaSettings(options);
    const admin = new KafkaTopics(settings);
    const connection = new KafkaConnection(settings);
    try {
      await admin.create(topics);
      const epoch = await epochOf(
        connection,
        topics.map(({ name }) => name),
      );
      return new KafkaEventLog(settings, admin, connection, epoch);
    } catch (error) {
      await Promise.all([admin.close(), connection.close()]);
      throw error;
    }
  }

  private constructor(
    settings: KafkaSettings,
    topics: KafkaTopics,
    connection: KafkaConnection,
    epoch: string,
  ) {
    this.#settings = settings;
    this.#topics = topics;
    this.#connection = connection;
    this.epoch = epoch;
    this.#appender = new KafkaAppender(settings);
    this.#reader = new KafkaReader(connection);
  }

  async createTopics(topics: readonly TopicSpec[]): Promise<void> {
    await this.#topics.create(topics);
  }

  async partitionCount(topic: string): Promise<number> {
    return this.#topics.partitionCount(topic);
  }

  async append(topic: string, records: readonly NewRecord[]): Promise<number[]> {
    if (records.length === 0) return [];
    const count = await this.#topics.partitionCount(topic);
    for (const { partition } of records) checkPartition(topic, partition, count);
    return this.#appender.append(topic, records);
  }

  async read(topic: string, partition: number, fromOffset: number, maxRecords: number): Promise<LogRecord[]> {
    checkPartition(topic, partition, await this.#topics.partitionCount(topic));
    return this.#reader.read(topic, partition, fromOffset, maxRecords);
  }

  async startOffsets(topic: string): Promise<number[]> {
    return this.#reader.startOffsets(topic, await this.#topics.partitionCount(topic));
  }

  async endOffsets(topic: string): Promise<number[]> {
    return this.#reader.endOffsets(topic, await this.#topics.partitionCount(topic));
  }

  async offsetsByTime(topic: string, timestampMs: number): Promise<number[]> {
    return this.#reader.offsetsByTime(topic, await this.#topics.partitionCount(topic), timestampMs);
  }

  /** As the port says; rejects with `topic-mismatch` when the topic was made anew meanwhile: the epoch is no longer the log's. */
  async follow(options: FollowOptions, signal: AbortSignal): Promise<void> {
    const partitions = await this.#topics.partitionCount(options.topic);
    if (signal.aborted) return;
    // A connection of its own: a fetch that waits for records would hold up read().
    const connection = new KafkaConnection(this.#settings);
    try {
      await follow(connection, partitions, this.#settings, options, signal);
    } finally {
      await connection.close();
    }
  }

  async consume(options: ConsumeOptions, signal: AbortSignal): Promise<void> {
    for (const topic of options.topics) await this.#topics.partitionCount(topic);
    if (signal.aborted) return;
    const connection = new KafkaConnection(this.#settings);
    try {
      const deps = { settings: this.#settings, connection, reader: this.#reader };
      await new KafkaConsumer(deps, options).run(signal);
    } finally {
      await connection.close();
    }
  }

  async committed(group: string, topic: string): Promise<(Commit | null)[]> {
    return this.#topics.committed(group, topic);
  }

  async trim(topic: string, beforeMs: number): Promise<void> {
    await this.#topics.deleteBefore(topic, await this.offsetsByTime(topic, beforeMs));
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.#topics.delete(topic);
    this.#appender.forget(topic);
  }

  async close(): Promise<void> {
    await this.#appender.close();
    await Promise.all([this.#topics.close(), this.#connection.close()]);
  }
}

/** Made of the ids of the cluster and of these topics: a topic that was made anew has another id. */
async function epochOf(connection: KafkaConnection, topics: readonly string[]): Promise<string> {
  const ids: string[] = [];
  for (const topic of topics.toSorted()) {
    const { clusterId, topicId } = await connection.run(`cannot identify ${topic}`, topic, async (cluster) =>
      topicIdentity(await cluster.findControllerBroker(), topic),
    );
    ids.push(clusterId, topicId);
  }
  return createHash('sha256').update(ids.join()).digest('hex').slice(0, 12);
}

function checkPartition(topic: string, partition: number, count: number): void {
  if (partition < 0 || partition >= count)
    throw new EventLogError('unknown-partition', `${topic} has no partition ${partition}`);
}
