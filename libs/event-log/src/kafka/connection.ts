import type kafkajs from 'kafkajs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventLogError } from '../event-log.ts';
import { backoffMs, isUnknownTopic, logUnavailable, unknownTopic } from './error.ts';
import { ClusterClass, readCommitted, silentLogger, type Cluster } from './internals.ts';
import type { KafkaSettings } from './options.ts';
import { KafkaSockets } from './sockets.ts';
import { noteFault } from './security/note-fault.ts';

/** kafkajs itself makes few and quick attempts: the loops of this adapter decide what a failure means. */
export const quickRetry: kafkajs.RetryOptions = { initialRetryTime: 50, maxRetryTime: 500, retries: 3 };
export const connectionTimeoutMs = 3_000;
export const requestTimeoutMs = 15_000;

/** A topic that another instance has just created takes a moment to reach every broker. */
const propagationMs = 1_500;

/** One kafkajs cluster (two connections a broker), replaced when it does not recover by itself. */
export class KafkaConnection {
  readonly #settings: KafkaSettings;
  #cluster: Cluster | undefined;
  #sockets: KafkaSockets;
  #closed = false;

  constructor(settings: KafkaSettings) {
    this.#settings = settings;
    this.#sockets = new KafkaSockets(settings);
  }

  /** The cluster, connected, with these topics in its metadata. Throws kafkajs's errors. */
  async cluster(topics: readonly string[]): Promise<Cluster> {
    if (this.#closed) throw new EventLogError('log-unavailable', 'the log is closed');
    this.#cluster ??= this.#newCluster();
    const cluster = this.#cluster;
    await cluster.connect();
    await cluster.addMultipleTargetTopics(topics);
    await cluster.refreshMetadataIfNecessary();
    return cluster;
  }

  /** Runs `work` until it succeeds. Throws EventLogError `unknown-topic`, or `log-unavailable` after the option's patience. */
  async run<T>(what: string, topic: string, work: (cluster: Cluster) => Promise<T>): Promise<T> {
    const start = Date.now();
    for (let attempt = 0; ; attempt++) {
      try {
        const result = await this.#settings.patience.attempt(async () => work(await this.cluster([topic])));
        this.#settings.faults.taken(what);
        return result;
      } catch (error) {
        if (error instanceof EventLogError) throw error;
        noteFault(this.#settings, error, what);
        const waited = Date.now() - start;
        if (isUnknownTopic(error) && waited > propagationMs) throw unknownTopic(topic, error);
        if (this.#settings.patience.left(start) <= 0) throw logUnavailable(what, error);
        await this.#settings.patience.attempt(() => this.recover(error, attempt)).catch(() => {});
      }
    }
  }

  /** Waits, and refreshes the metadata that may be stale after an error. */
  async recover(error: unknown, attempt: number): Promise<void> {
    const { host, port } = error as { host?: string; port?: number };
    if (host !== undefined && port !== undefined) this.#cluster?.removeBroker({ host, port });
    // One deleted topic would make the metadata request for all others fail.
    if (isUnknownTopic(error)) this.#cluster?.targetTopics.clear();
    await sleep(backoffMs(attempt));
    if (attempt % 4 === 3) await this.#replace();
    else await this.#cluster?.refreshMetadata().catch(() => {});
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#replace();
  }

  async #replace(): Promise<void> {
    const old = this.#cluster;
    this.#cluster = undefined;
    this.#sockets.destroy();
    this.#sockets = new KafkaSockets(this.#settings);
    await this.#settings.patience.attempt(async () => old?.disconnect()).catch(() => {});
  }

  #newCluster(): Cluster {
    const { watch, clientId, security } = this.#settings;
    return new ClusterClass({
      logger: silentLogger,
      socketFactory: this.#sockets.factory,
      brokers: watch.firstToAnswer,
      clientId,
      sasl: security.sasl,
      connectionTimeout: connectionTimeoutMs,
      requestTimeout: requestTimeoutMs,
      enforceRequestTimeout: true,
      metadataMaxAge: 300_000,
      retry: quickRetry,
      allowAutoTopicCreation: false,
      isolationLevel: readCommitted,
    });
  }
}
