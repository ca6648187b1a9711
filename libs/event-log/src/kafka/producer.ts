import kafkajs, { type CompressionTypes, type Message, type Producer } from 'kafkajs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventLogError, type NewRecord } from '../event-log.ts';
import { AppendQueue } from './append-queue.ts';
import { compressionTypes } from './codecs/codecs.ts';
import { connectionTimeoutMs, requestTimeoutMs } from './connection.ts';
import { backoffMs, errorType, isUnknownTopic, logUnavailable, unknownTopic } from './error.ts';
import { asOneGroup, silence } from './internals.ts';
import { saslOf, type KafkaSettings } from './options.ts';
import { KafkaSockets } from './sockets.ts';
import { noteFault } from './security/note-fault.ts';

/** A producer is given up when kafkajs has not delivered a batch within about this time, ms. */
const retry: kafkajs.RetryOptions = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 9 };

interface Handle {
  producer: Producer;
  sockets: KafkaSockets;
  connected: Promise<void>;
  sending: number;
  retired: boolean;
}

/**
 * Appends to partitions, with one queue and one send() at a time for each. kafkajs loses acknowledged records when a send() has several
 * partitions and a leader moves. After a failed send() it reuses the sequence numbers of the failed batch for the next one, which the
 * broker may then drop as a duplicate: so a producer that failed once is never used for another batch. The batch is sent again through a
 * new producer, and may then be in the log twice.
 */
export class KafkaAppender {
  readonly #settings: KafkaSettings;
  readonly #queues = new Map<string, AppendQueue>();
  readonly #compression: CompressionTypes;
  readonly #appending = new Set<Promise<unknown>>();
  #current: Handle | undefined;
  #closed = false;

  constructor(settings: KafkaSettings) {
    this.#settings = settings;
    this.#compression = compressionTypes[settings.compression];
  }

  /** As EventLog.append; the partitions exist. Settles when every partition has. */
  async append(topic: string, records: readonly NewRecord[]): Promise<number[]> {
    if (this.#closed) throw new EventLogError('log-unavailable', 'the log is closed');
    const work = this.#append(topic, records);
    this.#appending.add(work);
    try {
      return await work;
    } finally {
      this.#appending.delete(work);
    }
  }

  /** Waits for appends in progress. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#appending);
    if (this.#current !== undefined) this.#retire(this.#current);
  }

  /** The topic was deleted: the metadata that a producer keeps of it would make its other topics fail. */
  forget(topic: string): void {
    for (const key of this.#queues.keys()) if (key.startsWith(`${topic}/`)) this.#queues.delete(key);
    if (this.#current !== undefined) this.#retire(this.#current);
  }

  async #append(topic: string, records: readonly NewRecord[]): Promise<number[]> {
    const first = records[0]?.partition;
    if (first !== undefined && records.every(({ partition }) => partition === first))
      return this.#queue(topic, first).append(records);
    const indexes = new Map<number, number[]>();
    records.forEach(({ partition }, i) => {
      const of = indexes.get(partition);
      if (of === undefined) indexes.set(partition, [i]);
      else of.push(i);
    });
    const offsets = new Array<number>(records.length);
    const results = await Promise.allSettled(
      [...indexes].map(async ([partition, places]) => {
        const found = await this.#queue(topic, partition).append(places.map((i) => records[i]!));
        places.forEach((place, i) => (offsets[place] = found[i]!));
      }),
    );
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return offsets;
  }

  #queue(topic: string, partition: number): AppendQueue {
    const key = `${topic}/${partition}`;
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = new AppendQueue((messages) => this.#send(topic, partition, messages));
      this.#queues.set(key, queue);
    }
    return queue;
  }

  /** Returns the first record's offset. */
  async #send(topic: string, partition: number, messages: Message[]): Promise<number> {
    const start = Date.now();
    const operation = `append to ${topic}`;
    for (let attempt = 0; ; attempt++) {
      const handle = this.#handle();
      try {
        const offset = await this.#sendOnce(handle, topic, partition, messages, start);
        this.#settings.faults.taken(operation);
        return offset;
      } catch (error) {
        noteFault(this.#settings, error, operation);
        this.#retire(handle);
        if (['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'].includes(errorType(error) ?? '')) {
          throw new EventLogError('record-too-large', `a record is too large for ${topic}`, { cause: error });
        }
        const wait = backoffMs(attempt);
        if (this.#settings.patience.left(start) <= wait) {
          if (isUnknownTopic(error)) throw unknownTopic(topic, error);
          throw logUnavailable(`cannot append to ${topic}/${partition}`, error);
        }
        this.#settings.onTrouble({
          message: `appending to ${topic}/${partition} failed; it is retried through a new producer`,
          error: error as Error,
        });
        await sleep(wait);
      }
    }
  }

  async #sendOnce(
    handle: Handle,
    topic: string,
    partition: number,
    messages: Message[],
    start: number,
  ): Promise<number> {
    handle.sending++;
    const late = Promise.withResolvers<never>();
    const settle = this.#settings.patience.whenOver(start, () => {
      // Closing its connections ends kafkajs's own attempts.
      handle.sockets.destroy();
      late.reject(new Error('no answer in time'));
    });
    try {
      const work = handle.connected.then(() =>
        handle.producer.send({
          topic,
          messages: asOneGroup(partition, messages),
          acks: -1,
          compression: this.#compression,
        }),
      );
      work.catch(() => {});
      late.promise.catch(() => {});
      const [result, ...others] = await Promise.race([work, late.promise]);
      const offset = Number(result?.baseOffset ?? -1);
      // kafkajs also resolves if it has sent nothing because there is no leader.
      if (others.length > 0 || result?.partition !== partition || !(offset >= 0))
        throw new Error('the answer has no offset');
      return offset;
    } finally {
      settle();
      handle.sending--;
      if (handle.retired && handle.sending === 0) disconnect(handle);
    }
  }

  #handle(): Handle {
    if (this.#current !== undefined) return this.#current;
    const { watch, clientId } = this.#settings;
    const sockets = new KafkaSockets(this.#settings);
    const producer = new kafkajs.Kafka({
      socketFactory: sockets.factory,
      brokers: watch.firstToAnswer,
      clientId,
      ...saslOf(this.#settings),
      connectionTimeout: connectionTimeoutMs,
      requestTimeout: requestTimeoutMs,
      ...silence,
      retry,
    }).producer({
      idempotent: true,
      allowAutoTopicCreation: false,
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition!,
      retry,
    });
    const connected = producer.connect();
    connected.catch(() => {});
    this.#current = { producer, sockets, connected, sending: 0, retired: false };
    return this.#current;
  }

  /** No new batch goes through this producer; the batches in flight may still come through. */
  #retire(handle: Handle): void {
    if (this.#current === handle) this.#current = undefined;
    handle.retired = true;
    if (handle.sending === 0) disconnect(handle);
  }
}

function disconnect({ producer, sockets }: Handle): void {
  sockets.destroy();
  void producer.disconnect().catch(() => {});
}
