import kafkajs, { type Admin } from 'kafkajs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventLogError, type TopicSpec } from '../event-log.ts';
import { connectionTimeoutMs, quickRetry, requestTimeoutMs } from './connection.ts';
import { backoffMs, errorType, isUnknownTopic, logUnavailable, unknownTopic } from './error.ts';
import { silence } from './internals.ts';
import { saslOf, type KafkaSettings } from './options.ts';
import { KafkaSockets } from './sockets.ts';
import { checkedSettings, judgeTopicSettings, maxBatchBytes } from './topic-settings.ts';

const unknownAttempts = 4;

/** Creates, checks and removes topics. */
export class KafkaTopics {
  readonly #settings: KafkaSettings;
  readonly #sockets: KafkaSockets;
  readonly #admin: Admin;
  readonly #partitions = new Map<string, Promise<number>>();
  readonly #minInSync = new Map<string, number>();
  #connected: Promise<void> | undefined;

  constructor(settings: KafkaSettings) {
    this.#settings = settings;
    this.#sockets = new KafkaSockets(settings);
    this.#admin = new kafkajs.Kafka({
      socketFactory: this.#sockets.factory,
      brokers: settings.watch.firstToAnswer,
      clientId: settings.clientId,
      ...saslOf(settings),
      connectionTimeout: connectionTimeoutMs,
      requestTimeout: requestTimeoutMs,
      ...silence,
      retry: quickRetry,
    }).admin();
  }

  /** Creates the topics that do not exist and checks the others. Throws EventLogError `topic-mismatch`. */
  async create(topics: readonly TopicSpec[]): Promise<void> {
    const existing = new Set(await this.#run('cannot list the topics', (admin) => admin.listTopics()));
    const missing = topics.filter(({ name }) => !existing.has(name));
    if (missing.length > 0) await this.#createMissing(missing);
    for (const { name, partitions } of topics) {
      const found = await this.#untilKnown(() => this.partitionCount(name));
      if (found !== partitions) {
        throw new EventLogError(
          'topic-mismatch',
          `${name} has ${found} partitions, not ${partitions}: keys would move to other partitions`,
        );
      }
    }
    await this.#checkSettings(topics.map(({ name }) => name).filter((name) => existing.has(name)));
  }

  /** Throws EventLogError `unknown-topic`. */
  async partitionCount(topic: string): Promise<number> {
    let count = this.#partitions.get(topic);
    if (count === undefined) {
      count = this.#countPartitions(topic);
      this.#partitions.set(topic, count);
      count.catch(() => this.#partitions.delete(topic));
    }
    return count;
  }

  /** How many replicas must have a record before it is acknowledged; 1 for topics that were neither created nor checked here. */
  minInSync(topic: string): number {
    return this.#minInSync.get(topic) ?? 1;
  }

  async delete(topic: string): Promise<void> {
    this.#partitions.delete(topic);
    await this.#countPartitions(topic);
    await this.#run(`cannot delete ${topic}`, (admin) => admin.deleteTopics({ topics: [topic] }));
    // The controller has answered; the brokers apply it a little later.
    await this.#untilMetadata(topic, false);
  }

  /** Removes the records before these offsets, per partition. */
  async deleteBefore(topic: string, offsets: readonly number[]): Promise<void> {
    const partitions = offsets.map((offset, partition) => ({ partition, offset: String(offset) }));
    await this.#run(`cannot trim ${topic}`, (admin) => admin.deleteTopicRecords({ topic, partitions }));
  }

  async close(): Promise<void> {
    this.#sockets.destroy();
    await this.#settings.patience.attempt(() => this.#admin.disconnect()).catch(() => {});
  }

  async #createMissing(topics: readonly TopicSpec[]): Promise<void> {
    const { brokers } = await this.#run('cannot describe the cluster', (admin) => admin.describeCluster());
    const replicationFactor = Math.min(3, brokers.length);
    const configs: Record<string, string> = {
      'message.timestamp.type': 'LogAppendTime',
      'cleanup.policy': 'delete',
      'retention.ms': String(this.#settings.retentionMs ?? -1),
      'min.insync.replicas': replicationFactor === 3 ? '2' : '1',
      'max.message.bytes': String(maxBatchBytes),
      // Whatever codec another client uses, readers only get zstd; batches in zstd are stored unchanged.
      'compression.type': 'zstd',
    };
    const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }));
    await this.#run('cannot create the topics', async (admin) => {
      try {
        await admin.createTopics({
          // kafkajs gives up its own wait when a broker has not heard of the topic yet; #untilMetadata does not.
          waitForLeaders: false,
          topics: topics.map(({ name, partitions }) => ({
            topic: name,
            numPartitions: partitions,
            replicationFactor,
            configEntries,
          })),
        });
      } catch (error) {
        // Services start at the same time: another one may have created the topic first.
        if (errorType(error) !== 'TOPIC_ALREADY_EXISTS') throw error;
      }
    });
    for (const { name } of topics) {
      await this.#untilMetadata(name, true);
      this.#minInSync.set(name, Number(configs['min.insync.replicas']));
    }
  }

  /** Checks existing topics: refuses settings that would break a guarantee, and reports others that differ. */
  async #checkSettings(topics: readonly string[]): Promise<void> {
    if (topics.length === 0) return;
    const { resources } = await this.#untilKnown(() =>
      this.#run('cannot describe the topics', (admin) =>
        admin.describeConfigs({
          includeSynonyms: false,
          resources: topics.map((name) => ({
            type: kafkajs.ConfigResourceTypes.TOPIC,
            name,
            configNames: [...checkedSettings],
          })),
        }),
      ),
    );
    for (const { resourceName, configEntries } of resources) {
      const values = new Map(configEntries.map(({ configName, configValue }) => [configName, configValue]));
      this.#minInSync.set(resourceName, Number(values.get('min.insync.replicas') ?? 1));
      const { refused, told } = judgeTopicSettings(values, this.#settings.retentionMs);
      if (refused !== undefined)
        throw new EventLogError(
          'topic-mismatch',
          `${resourceName} has ${refused}; set it with kafka-configs --alter`,
        );
      for (const what of told) this.#settings.onTrouble({ message: `${resourceName} has ${what}` });
    }
  }

  async #countPartitions(topic: string): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      try {
        const { topics } = await this.#run(`cannot describe ${topic}`, (admin) =>
          admin.fetchTopicMetadata({ topics: [topic] }),
        );
        return topics[0]!.partitions.length;
      } catch (error) {
        if (!isUnknownTopic(error)) throw error;
        if (attempt === unknownAttempts) throw unknownTopic(topic, error);
        await sleep(50 * attempt);
      }
    }
  }

  /** Describes topics that exist: a broker that does not know one yet will soon, because another instance has just created it. */
  async #untilKnown<T>(ask: () => Promise<T>): Promise<T> {
    const start = Date.now();
    for (let attempt = 0; ; attempt++) {
      try {
        return await ask();
      } catch (error) {
        if (!isUnknownTopic(error) || this.#settings.patience.left(start) <= 0) throw error;
        await sleep(backoffMs(attempt));
      }
    }
  }

  async #untilMetadata(topic: string, exists: boolean): Promise<void> {
    const start = Date.now();
    // Several times in a row, because the answers may come from different brokers.
    for (let agreed = 0; agreed < 3 && this.#settings.patience.left(start) > 0;) {
      const found = await this.#run(`cannot describe ${topic}`, (admin) =>
        admin.fetchTopicMetadata({ topics: [topic] }),
      ).then(
        ({ topics }) => topics[0]!.partitions.every(({ leader }) => leader >= 0),
        (error) => {
          if (!isUnknownTopic(error)) throw error;
          return false;
        },
      );
      if (found === exists) agreed++;
      else {
        agreed = 0;
        await sleep(50);
      }
    }
  }

  /** Retries transient failures; leaves errors about topics to the caller. */
  async #run<T>(what: string, work: (admin: Admin) => Promise<T>): Promise<T> {
    const start = Date.now();
    for (let attempt = 0; ; attempt++) {
      try {
        this.#connected ??= this.#admin.connect();
        const connected = this.#connected;
        return await this.#settings.patience.attempt(async () => connected.then(() => work(this.#admin)));
      } catch (error) {
        this.#connected = undefined;
        if (isUnknownTopic(error) || isFinal(error)) throw error;
        if (this.#settings.patience.left(start) <= 0) throw logUnavailable(what, error);
        await sleep(backoffMs(attempt));
      }
    }
  }
}

/** Errors that a retry cannot fix. */
function isFinal(error: unknown): boolean {
  const type = errorType(error) ?? '';
  return /AUTHORIZATION|INVALID_(TOPIC|PARTITIONS|REPLICATION|CONFIG)|POLICY_VIOLATION/.test(type);
}
