import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  EventLogError,
  type Assignment,
  type ConsumeOptions,
  type EventLog,
  type FollowOptions,
  type LogRecord,
  type NewRecord,
  type PartitionHandler,
  type TopicSpec,
} from './event-log.ts';
import { leaseRenewalMs, SqliteGroups } from './sqlite-groups.ts';
import { SqliteTopic, topicPath } from './sqlite-topic.ts';
import { WakeUp } from './wake-up.ts';

const defaultBatch = 1000;
const idleMs = 100;

/**
 * The embedded log: SQLite files in one folder, WAL, synchronous=FULL. Durable against kill -9 and loss of power. Used by one
 * process (see lockDataFolder) on any number of threads, each with an instance of its own.
 */
export class SqliteEventLog implements EventLog {
  readonly epoch: string;
  readonly #folder: string;
  readonly #groups: SqliteGroups;
  readonly #topics = new Map<string, SqliteTopic>();
  readonly #wakeUp: WakeUp;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.#groups = new SqliteGroups(folder);
    this.epoch = this.#groups.epoch;
    this.#wakeUp = new WakeUp(`event-log:${this.epoch}`);
  }

  async createTopics(topics: readonly TopicSpec[]): Promise<void> {
    for (const topic of topics) {
      this.#groups.createTopic(topic);
      this.#topic(topic.name);
    }
  }

  async partitionCount(topic: string): Promise<number> {
    return this.#topic(topic).partitionCount;
  }

  async append(topic: string, records: readonly NewRecord[]): Promise<number[]> {
    if (records.length === 0) return [];
    const offsets = this.#topic(topic).append(records, Date.now());
    this.#wakeUp.announce(topic);
    return offsets;
  }

  async read(topic: string, partition: number, fromOffset: number, maxRecords: number): Promise<LogRecord[]> {
    return this.#topic(topic).read(partition, fromOffset, maxRecords);
  }

  async startOffsets(topic: string): Promise<number[]> {
    return this.#perPartition(topic, (t, p) => t.startOffset(p));
  }

  async endOffsets(topic: string): Promise<number[]> {
    return this.#perPartition(topic, (t, p) => t.endOffset(p));
  }

  async offsetsByTime(topic: string, timestampMs: number): Promise<number[]> {
    return this.#perPartition(topic, (t, p) => t.offsetByTime(p, timestampMs));
  }

  async follow(options: FollowOptions, signal: AbortSignal): Promise<void> {
    const topic = this.#topic(options.topic);
    const next = [...options.from];
    while (!signal.aborted) {
      let found = false;
      for (let p = 0; p < topic.partitionCount && !signal.aborted; p++) {
        const records = topic.read(p, next[p] ?? 0, options.maxRecords ?? defaultBatch);
        if (records.length === 0) continue;
        found = true;
        await options.onBatch(records, p);
        next[p] = records.at(-1)!.offset + 1;
      }
      if (found) await yieldToIo();
      else await this.#wakeUp.wait(options.topic, idleMs, signal);
    }
  }

  async consume(options: ConsumeOptions, signal: AbortSignal): Promise<void> {
    const member = randomUUID();
    while (!signal.aborted && !this.#groups.lease(options.group, member))
      await sleep(idleMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    const renewal = setInterval(() => this.#groups.lease(options.group, member), leaseRenewalMs);
    try {
      // One failing partition stops the others; each still closes its handler.
      const failed = new AbortController();
      const stop = AbortSignal.any([signal, failed.signal]);
      const partitions = options.topics.flatMap((name) =>
        Array.from({ length: this.#topic(name).partitionCount }, (_, p) =>
          this.#work(options, name, p, stop),
        ),
      );
      for (const work of partitions) work.catch(() => failed.abort());
      const results = await Promise.allSettled(partitions);
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    } finally {
      clearInterval(renewal);
      this.#groups.release(options.group, member);
    }
  }

  async committed(group: string, topic: string): Promise<({ offset: number; metadata: string } | null)[]> {
    return this.#perPartition(topic, (_, p) => this.#groups.committed(group, topic, p));
  }

  async trim(topic: string, beforeMs: number): Promise<void> {
    this.#topic(topic).trim(beforeMs);
  }

  async deleteTopic(topic: string): Promise<void> {
    this.#topics.get(topic)?.close();
    this.#topics.delete(topic);
    this.#groups.deleteTopic(topic);
    for (const suffix of ['', '-wal', '-shm'])
      rmSync(topicPath(this.#folder, topic) + suffix, { force: true });
  }

  async close(): Promise<void> {
    for (const topic of this.#topics.values()) topic.close();
    this.#groups.close();
    this.#wakeUp.close();
  }

  /** Ends what an earlier process left behind. Called once, by the process that has locked the folder, before others open it. */
  recover(): void {
    this.#groups.releaseAll();
  }

  async #work(options: ConsumeOptions, name: string, partition: number, signal: AbortSignal): Promise<void> {
    const topic = this.#topic(name);
    const committed = this.#groups.committed(options.group, name, partition);
    let assigned = true;
    const assignment: Assignment = {
      topic: name,
      partition,
      committed,
      commit: async (offset, metadata = '') => {
        if (!assigned)
          throw new EventLogError(
            'not-assigned',
            `${name}/${partition} is no longer assigned to this member`,
          );
        this.#groups.commit(options.group, name, partition, { offset, metadata });
      },
    };
    let handler: PartitionHandler | undefined;
    try {
      handler = await options.open(assignment);
      let next = handler.startOffset ?? committed?.offset ?? 0;
      while (!signal.aborted) {
        const records = topic.read(partition, next, options.maxRecords ?? defaultBatch);
        if (records.length > 0) {
          await handler.process(records);
          next = records.at(-1)!.offset + 1;
          await yieldToIo();
        } else {
          await handler.idle?.();
          await this.#wakeUp.wait(name, idleMs, signal);
        }
      }
    } finally {
      try {
        await handler?.close?.();
      } finally {
        assigned = false;
      }
    }
  }

  #topic(name: string): SqliteTopic {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      const partitions = this.#groups.partitions(name);
      if (partitions === undefined) throw new EventLogError('unknown-topic', `there is no topic ${name}`);
      topic = new SqliteTopic(this.#folder, name, partitions);
      this.#topics.set(name, topic);
    }
    return topic;
  }

  #perPartition<T>(name: string, get: (topic: SqliteTopic, partition: number) => T): T[] {
    const topic = this.#topic(name);
    return Array.from({ length: topic.partitionCount }, (_, p) => get(topic, p));
  }
}

/** SQLite answers at once, so a busy reader would never let a socket or a timer have its turn. */
function yieldToIo(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
