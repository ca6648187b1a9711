import {
  EventLogError,
  type Commit,
  type ConsumeOptions,
  type EventLog,
  type FollowOptions,
  type LogGap,
  type LogRecord,
  type NewRecord,
  type TopicSpec,
} from '../event-log.ts';
import { registerCodecs } from './codecs/codecs.ts';
import { readCommit } from './commit.ts';
import { KafkaClusterView } from './cluster-view.ts';
import { KafkaConnection } from './connection.ts';
import { KafkaConsumer } from './consumer.ts';
import type { FeedDeps } from './feed.ts';
import { follow } from './follower.ts';
import { kafkaSettings, type KafkaOptions, type KafkaSettings } from './options.ts';
import { KafkaAppender } from './producer.ts';
import { KnownEnds } from './known-ends.ts';
import { KafkaReader } from './reader.ts';
import { asAccessError } from './security/access-fault.ts';
import { checkAccess } from './security/check-access.ts';
import { KafkaTopicEpochs } from './topic-epochs.ts';
import { KafkaTopics } from './topics.ts';

/**
 * The log on Kafka. Any number of instances, processes and machines.
 *
 * What differs from the embedded log
 * - Durable means: on min.insync.replicas brokers (2 of 3 in a cluster). Append times are the partition leader's clock: they decrease when
 *   leadership moves to a broker whose clock is behind, so brokers need synchronized clocks.
 * - An append that was retried through a new producer may be in the log twice, even if it succeeds; the returned offsets are the last ones.
 *   When an append is rejected, later appends to the same partition that are not stored yet are rejected too.
 * - Offsets may have holes, where other clients write transactions; records of open and aborted transactions are not seen.
 * - trim() is exact to the record. Deleting a topic also drops the commits on it.
 */
export class KafkaEventLog implements EventLog {
  readonly #settings: KafkaSettings;
  readonly #topics: KafkaTopics;
  readonly #appender: KafkaAppender;
  readonly #connection: KafkaConnection;
  readonly #reader: KafkaReader;
  readonly #epochs: KafkaTopicEpochs;
  readonly #ownTopics: readonly string[];
  readonly #view: KafkaClusterView;
  readonly #ends = new KnownEnds();
  readonly #closing = new AbortController();

  /**
   * Connects and creates the topics. Throws EventLogError `topic-mismatch` or, after the option's patience, `log-unavailable`;
   * EngineAccessError if the brokers refuse this client; SettingsError for a certificate that cannot be used.
   */
  static async open(options: KafkaOptions, topics: readonly TopicSpec[]): Promise<KafkaEventLog> {
    registerCodecs();
    const settings = kafkaSettings(options);
    const admin = new KafkaTopics(settings);
    const connection = new KafkaConnection(settings);
    try {
      await checkAccess(settings);
      await admin.create(topics);
      const epochs = new KafkaTopicEpochs(connection);
      const names = topics.map(({ name }) => name);
      for (const name of names) await epochs.refresh(name);
      return new KafkaEventLog(settings, admin, connection, epochs, names);
    } catch (error) {
      await Promise.all([admin.close(), connection.close()]);
      settings.watch.close();
      settings.security[Symbol.dispose]();
      throw asAccessError(error);
    }
  }

  private constructor(
    settings: KafkaSettings,
    topics: KafkaTopics,
    connection: KafkaConnection,
    epochs: KafkaTopicEpochs,
    ownTopics: readonly string[],
  ) {
    this.#settings = settings;
    this.#topics = topics;
    this.#connection = connection;
    this.#epochs = epochs;
    this.#ownTopics = ownTopics;
    this.#appender = new KafkaAppender(settings);
    this.#view = new KafkaClusterView(settings, (topic) => topics.minInSync(topic));
    this.#reader = new KafkaReader({ connection, epochs, view: this.#view, ends: this.#ends });
    epochs.onRecreated((topic) => this.#ends.forget(topic));
    void epochs.watch(this.#closing.signal);
    void this.#view.watchTopics(ownTopics, this.#closing.signal);
  }

  /** Made of the ids of the cluster and of the topics that it was opened with: a recreated topic has another id. */
  get epoch(): string {
    return this.#epochs.epochOfAll(this.#ownTopics);
  }

  async epochOf(topic: string): Promise<string> {
    await this.#topics.partitionCount(topic);
    // Callers ask in order to learn whether it has changed.
    await this.#epochs.refresh(topic);
    return this.#epochs.epochOf(topic);
  }

  problem(): string | undefined {
    if (this.#settings.watch.isFrozen) return 'Kafka does not answer';
    const { current } = this.#settings.faults;
    return this.#view.problem ?? (current === undefined ? undefined : `Kafka: ${current}`);
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

  async read(
    topic: string,
    partition: number,
    fromOffset: number,
    maxRecords: number,
    onGap?: (gap: LogGap) => void,
  ): Promise<LogRecord[]> {
    checkPartition(topic, partition, await this.#topics.partitionCount(topic));
    return this.#reader.read(topic, partition, fromOffset, maxRecords, onGap);
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

  async follow(options: FollowOptions, signal: AbortSignal): Promise<void> {
    const partitions = await this.#topics.partitionCount(options.topic);
    if (signal.aborted) return;
    // A connection of its own: a fetch that waits for records would hold up read().
    const connection = new KafkaConnection(this.#settings);
    try {
      await follow(this.#feedDeps(connection), partitions, options, signal);
    } finally {
      await connection.close();
    }
  }

  async consume(options: ConsumeOptions, signal: AbortSignal): Promise<void> {
    for (const topic of options.topics) await this.#topics.partitionCount(topic);
    if (signal.aborted) return;
    const connection = new KafkaConnection(this.#settings);
    try {
      const deps = { ...this.#feedDeps(connection), reader: this.#reader };
      await new KafkaConsumer(deps, options).run(signal);
    } finally {
      await connection.close();
    }
  }

  #feedDeps(connection: KafkaConnection): FeedDeps {
    return {
      connection,
      settings: this.#settings,
      epochs: this.#epochs,
      view: this.#view,
      ends: this.#ends,
    };
  }

  async committed(group: string, topic: string): Promise<(Commit | null)[]> {
    const count = await this.#topics.partitionCount(topic);
    const stored = await this.#reader.committed(group, topic, count);
    const epoch = await this.#epochs.epochOf(topic);
    return stored.map((commit) => commit && readCommit(commit, epoch).commit);
  }

  async trim(topic: string, beforeMs: number): Promise<void> {
    await this.#topics.deleteBefore(topic, await this.offsetsByTime(topic, beforeMs));
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.#topics.delete(topic);
    this.#appender.forget(topic);
    this.#epochs.forget(topic);
    this.#ends.forget(topic);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#appender.close();
    await Promise.all([this.#topics.close(), this.#connection.close()]);
    this.#view.close();
    this.#settings.watch.close();
    this.#settings.security[Symbol.dispose]();
  }
}

function checkPartition(topic: string, partition: number, count: number): void {
  if (partition < 0 || partition >= count)
    throw new EventLogError('unknown-partition', `${topic} has no partition ${partition}`);
}
