import type { KafkaClusterView } from './cluster-view.ts';
import type { EventLogError, LogGap, LogRecord } from '../event-log.ts';
import type { KafkaConnection } from './connection.ts';
import { logUnavailable } from './error.ts';
import { fetchFrom, type Fetched } from './fetch.ts';
import type { Cluster } from './internals.ts';
import type { KnownEnds } from './known-ends.ts';
import type { KafkaSettings } from './options.ts';
import { confirmedEnd, leaderId, listOffset } from './reader.ts';
import { topicRecreated, type KafkaTopicEpochs } from './topic-epochs.ts';
import { noteFault } from './security/note-fault.ts';

/** How long a broker may hold a fetch that finds nothing. */
const longPollMs = 100;
/** The same while some partition is left out because its reader is busy: it must not have to wait until the others have data. */
const shortPollMs = 10;
/** A reader that has waited this long gets an empty result; a little less than one long poll. */
const idleMs = 90;

/** Reads one partition onwards. Made by KafkaFeeds. */
export interface Feed {
  /** The next records, at most `maxRecords`; empty after about 100 ms without any. Throws EventLogError. */
  readonly take: (maxRecords: number) => Promise<LogRecord[]>;
  /** The gap between the records taken so far and the next ones, returned once; take() returns none until it was read. */
  readonly takeGap: () => LogGap | undefined;
  readonly close: () => void;
}

interface FetchedQueue {
  topic: string;
  topicId: string;
  partition: number;
  gap: LogGap | undefined;
  /** Where the next fetch begins. */
  next: number;
  /** Records that were fetched and not yet taken. */
  records: LogRecord[];
  taken: number;
  isFetching: boolean;
  isClosed: boolean;
  /** Wakes take(), without records if there were none for a while. */
  wake: (() => void) | undefined;
  waitingSince: number;
  failure: EventLogError | undefined;
}

export interface FeedDeps {
  connection: KafkaConnection;
  settings: KafkaSettings;
  epochs: KafkaTopicEpochs;
  view: KafkaClusterView;
  ends: KnownEnds;
}

/**
 * Fetches many partitions over one connection a broker. Each partition's reader takes records at its own pace. Fetching ahead is bounded:
 * about a mebibyte a partition, and nothing while the last piece is untouched.
 */
export class KafkaFeeds {
  readonly #connection: KafkaConnection;
  readonly #settings: KafkaSettings;
  readonly #epochs: KafkaTopicEpochs;
  readonly #view: KafkaClusterView;
  readonly #ends: KnownEnds;
  readonly #queues = new Set<FetchedQueue>();
  readonly #busyNodes = new Set<number>();
  #isPumping = false;
  #isPumpWanted = false;
  #failures = 0;
  #lastSuccess = Date.now();

  constructor({ connection, settings, epochs, view, ends }: FeedDeps) {
    this.#connection = connection;
    this.#settings = settings;
    this.#epochs = epochs;
    this.#view = view;
    this.#ends = ends;
  }

  /** Begins at an offset of the topic with this id. take() rejects with `topic-recreated` if the topic was recreated. */
  open(topic: string, topicId: string, partition: number, offset: number): Feed {
    const queue: FetchedQueue = {
      topic,
      topicId,
      partition,
      gap: undefined,
      next: offset,
      records: [],
      taken: 0,
      isFetching: false,
      isClosed: false,
      wake: undefined,
      waitingSince: 0,
      failure: undefined,
    };
    this.#queues.add(queue);
    return {
      take: (maxRecords) => this.#take(queue, maxRecords),
      takeGap: () => {
        const { gap } = queue;
        queue.gap = undefined;
        return gap;
      },
      close: () => {
        queue.isClosed = true;
        this.#queues.delete(queue);
        queue.wake?.();
      },
    };
  }

  async #take(queue: FetchedQueue, maxRecords: number): Promise<LogRecord[]> {
    if (queue.taken === queue.records.length && queue.gap === undefined && !queue.isClosed) {
      queue.waitingSince = Date.now();
      await new Promise<void>((resolve) => {
        queue.wake = resolve;
        this.#pump();
      });
      queue.wake = undefined;
    }
    if (queue.failure !== undefined) throw queue.failure;
    if (queue.gap !== undefined) return [];
    const records =
      queue.taken === 0 && queue.records.length <= maxRecords
        ? queue.records
        : queue.records.slice(queue.taken, queue.taken + maxRecords);
    queue.taken += records.length;
    if (queue.taken === queue.records.length) {
      queue.records = [];
      queue.taken = 0;
      // The next piece is fetched while the reader works on this one.
      if (records.length > 0) this.#pump();
    }
    return records;
  }

  /** Sends a fetch to each broker that has none, for the partitions whose records are used up. */
  #pump(): void {
    this.#isPumpWanted = true;
    if (this.#isPumping) return;
    this.#isPumping = true;
    void this.#runPump();
  }

  async #runPump(): Promise<void> {
    while (this.#isPumpWanted && this.#queues.size > 0) {
      this.#isPumpWanted = false;
      // Readers that become ready in the same turn share a fetch.
      await new Promise((resolve) => setImmediate(resolve));
      try {
        const cluster = await this.#connection.cluster([
          ...new Set([...this.#queues].map(({ topic }) => topic)),
        ]);
        const byNode = Map.groupBy(this.#queues, ({ topic, partition }) =>
          leaderId(cluster, topic, partition),
        );
        for (const [node, queues] of byNode) {
          const wanted = queues.filter(({ isFetching, records }) => !isFetching && records.length === 0);
          if (wanted.length === 0 || this.#busyNodes.has(node)) continue;
          if (node < 0) throw new Error(`${wanted[0]!.topic}/${wanted[0]!.partition} has no leader`);
          const waitMs = wanted.length === queues.length ? longPollMs : shortPollMs;
          this.#busyNodes.add(node);
          for (const queue of wanted) queue.isFetching = true;
          void this.#fetch(cluster, node, wanted, waitMs);
        }
      } catch (error) {
        await this.#failed(error);
        this.#isPumpWanted = true;
      }
    }
    this.#isPumping = false;
  }

  async #fetch(
    cluster: Cluster,
    node: number,
    queues: readonly FetchedQueue[],
    waitMs: number,
  ): Promise<void> {
    try {
      const broker = await cluster.findBroker({ nodeId: String(node) });
      const positions = queues.map(({ next, ...place }) => ({ ...place, offset: next }));
      let refused: Error | undefined;
      for (const fetched of await fetchFrom(broker, positions, waitMs)) {
        const { topic, partition } = fetched;
        const queue = queues.find((l) => l.topic === topic && l.partition === partition)!;
        if (fetched.refused === undefined) {
          this.#ends.see(topic, partition, fetched.end);
          deliver(queue, fetched);
        } else if (fetched.refused === 'out-of-range') await this.#moveIntoRange(cluster, queue);
        else refused = (await this.#identify(queue)) ?? refused;
      }
      if (refused !== undefined) throw refused;
      this.#failures = 0;
      this.#lastSuccess = Date.now();
      this.#settings.faults.taken('fetch');
    } catch (error) {
      await this.#failed(error);
    } finally {
      this.#busyNodes.delete(node);
      for (const queue of queues) queue.isFetching = false;
      if ([...this.#queues].some(({ wake, records }) => wake !== undefined && records.length === 0))
        this.#pump();
    }
  }

  async #moveIntoRange(cluster: Cluster, queue: FetchedQueue): Promise<void> {
    const { topic, partition, next } = queue;
    const start = await listOffset(cluster, topic, partition, true);
    if (next < start) {
      queue.gap = { topic, partition, from: next, to: start, reason: 'trimmed' };
      queue.next = start;
    } else {
      const end = await confirmedEnd(this.#view, cluster, topic, partition);
      if (next <= end) return;
      this.#ends.confirm(topic, partition, end);
      queue.gap = { topic, partition, from: end, to: next, reason: 'lost-end' };
      queue.next = end;
    }
    queue.wake?.();
  }

  /** Finds out why a broker does not know the queue's topic; returns the reason to retry, or ends the queue. */
  async #identify(queue: FetchedQueue): Promise<Error | undefined> {
    if ((await this.#epochs.refresh(queue.topic)) === queue.topicId)
      return new Error(`the leader of ${queue.topic}/${queue.partition} does not know the topic yet`);
    fail(queue, topicRecreated(queue.topic));
    return undefined;
  }

  async #failed(error: unknown): Promise<void> {
    noteFault(this.#settings, error, 'fetch');
    if (Date.now() - this.#lastSuccess > this.#settings.outageMs) {
      for (const queue of this.#queues)
        fail(queue, logUnavailable(`cannot read ${queue.topic}/${queue.partition}`, error));
      return;
    }
    // The first failure usually means that the leader moved.
    if (this.#failures % 10 === 1)
      this.#settings.onTrouble({ message: 'a fetch failed and is tried again', error: error as Error });
    await this.#connection.recover(error, this.#failures++);
  }
}

function deliver(queue: FetchedQueue, { records, nextOffset }: Fetched): void {
  queue.records = records;
  queue.next = nextOffset;
  if (records.length > 0 || Date.now() - queue.waitingSince >= idleMs) queue.wake?.();
}

function fail(queue: FetchedQueue, failure: EventLogError): void {
  queue.failure = failure;
  queue.wake?.();
}
