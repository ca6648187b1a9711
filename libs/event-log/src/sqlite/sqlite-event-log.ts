import { setAsideIfDamaged, storageTrouble } from '@logloom/sqlite';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  EventLogError,
  outOfRange,
  type Assignment,
  type ConsumeOptions,
  type EventLog,
  type FollowOptions,
  type LogGap,
  type LogRecord,
  type NewRecord,
  type PartitionHandler,
  type TopicSpec,
} from '../event-log.ts';
import type { Trouble } from '../kafka/options.ts';
import { AppendNotifier } from './append-notifier.ts';
import { leaseRenewalMs, SqliteConsumerGroups } from './consumer-groups.ts';
import { SqliteTopic, topicPath } from './topic.ts';

const defaultBatch = 1000;
const idleMs = 100;
const damageRetryMs = 5000;
/** More than a write-ahead file ever holds: it is put into the topic's file at each 16 MB. After a loss of power the noted ends may lie behind by that. */
const lostOffsets = 2 ** 24;
/** How often it is looked whether a disk that was full has room. */
const retryMs = 250;
/** A topic that was deleted under its readers may be gone for so long (ms) before it is made anew. */
const recreateMs = 600_000;

/**
 * The embedded log: SQLite files in one folder, WAL, synchronous=FULL. Durable against kill -9 and loss of power. Written by one
 * process (see lockDataFolder) on any number of threads, each with an instance of its own. Processes that it starts may read along:
 * they see what was committed within 100 ms, or at once when they are told (onAppended() there, announce() here).
 */
export class SqliteEventLog implements EventLog {
  readonly epoch: string;
  readonly #folder: string;
  readonly #groups: SqliteConsumerGroups;
  readonly #onTrouble: (trouble: Trouble) => void;
  readonly #topics = new Map<string, SqliteTopic>();
  readonly #notifier: AppendNotifier;

  constructor(folder: string, onTrouble: (trouble: Trouble) => void = () => {}) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.#onTrouble = onTrouble;
    this.#groups = new SqliteConsumerGroups(folder);
    this.epoch = this.#groups.epoch;
    this.#notifier = new AppendNotifier(`event-log:${this.epoch}`);
  }

  async createTopics(topics: readonly TopicSpec[]): Promise<void> {
    for (const topic of topics) {
      this.#groups.createTopic(topic);
      try {
        this.#topic(topic.name);
      } catch (error) {
        // The others serve; whoever needs this one is told.
        if (!isLogDamage(error)) throw error;
        this.#onTrouble({ message: `the topic ${topic.name} cannot be opened`, error });
      }
    }
  }

  async epochOf(topic: string): Promise<string> {
    return epochNow(this.#topic(topic));
  }

  async partitionCount(topic: string): Promise<number> {
    return this.#partitions(topic);
  }

  async append(topic: string, records: readonly NewRecord[]): Promise<number[]> {
    if (records.length === 0) return [];
    const offsets = this.#topic(topic).append(records, Date.now());
    this.#notifier.announce(topic);
    return offsets;
  }

  /** Calls the listener whenever a thread of this process has appended to a topic; gives the function that ends it. */
  onAppended(listener: (topic: string) => void): () => void {
    return this.#notifier.listen(listener);
  }

  /** Bytes of a topic's file that records may take without its growing. */
  reusableBytes(topic: string): number {
    return this.#topic(topic).reusableBytes;
  }

  /** Wakes the readers of this process because another one has appended. */
  announce(topic: string): void {
    this.#notifier.announce(topic);
  }

  async read(
    topic: string,
    partition: number,
    fromOffset: number,
    maxRecords: number,
    onGap?: (gap: LogGap) => void,
  ): Promise<LogRecord[]> {
    const records = this.#topic(topic).read(partition, fromOffset, maxRecords);
    const gap = onGap && gapBefore(this.#topic(topic), partition, fromOffset, records);
    if (gap !== undefined && gap.reason !== 'lost-end') onGap?.(gap);
    return records;
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
    const topic = await this.#readable(options.topic, signal);
    if (topic === undefined) return;
    const epoch = epochNow(topic);
    const next = topic.perPartition((p) => options.from[p] ?? 0);
    const damagedUntil = new Map<number, number>();
    while (!signal.aborted) {
      let found = false;
      for (let p = 0; p < topic.partitionCount && !signal.aborted; p++) {
        if ((damagedUntil.get(p) ?? 0) > Date.now()) continue;
        let records: LogRecord[];
        let gap: LogGap | undefined;
        try {
          records = topic.read(p, next[p]!, options.maxRecords ?? defaultBatch);
          gap = gapBefore(topic, p, next[p]!, records);
        } catch (error) {
          if (!isLogDamage(error)) throw error;
          const message = `followers cannot go on with ${options.topic}/${p}; it is tried again`;
          this.#onTrouble({ message, error });
          damagedUntil.set(p, Date.now() + damageRetryMs);
          continue;
        }
        if (topic.epoch !== epoch) throw recreated(options.topic);
        if (gap !== undefined) {
          if (options.onGap === undefined) throw outOfRange(gap);
          await options.onGap(gap);
          next[p] = behind(gap);
          found = true;
          continue;
        }
        if (records.length === 0) continue;
        found = true;
        await options.onBatch(records, p);
        next[p] = records.at(-1)!.offset + 1;
      }
      if (found) await yieldToIo();
      else await this.#notifier.wait(options.topic, idleMs, signal);
    }
  }

  async consume(options: ConsumeOptions, signal: AbortSignal): Promise<void> {
    const member = randomUUID();
    while (!signal.aborted) {
      const holds = await untilStored(() => this.#groups.lease(options.group, member), signal);
      if (holds === true) await this.#lead(options, member, signal);
      else await sleep(idleMs, undefined, { signal }).catch(() => {});
    }
  }

  async committed(group: string, topic: string): Promise<({ offset: number; metadata: string } | null)[]> {
    const partitions = Array.from({ length: this.#partitions(topic) });
    return partitions.map((_, p) => this.#groups.committed(group, topic, p));
  }

  async trim(topic: string, beforeMs: number): Promise<void> {
    this.#topic(topic).trim(beforeMs);
  }

  async deleteTopic(topic: string): Promise<void> {
    this.#topic(topic).drop();
    this.#topics.get(topic)?.close();
    this.#topics.delete(topic);
    this.#groups.deleteTopic(topic);
  }

  async close(): Promise<void> {
    for (const topic of this.#topics.values()) topic.close();
    this.#groups.close();
    this.#notifier.close();
  }

  /** Ends what an earlier process left behind. Called once, by the process that has locked the folder, before others open it. */
  recover(): void {
    this.#groups.releaseAll();
  }

  /**
   * For the process that has locked the folder, before others open the log, and until they have closed it: ends what an earlier process
   * left behind, and notices what of its files was lost since: records that were acknowledged and are not there. Their offsets are not
   * given to others, so that they become a gap and nobody takes new records for those.
   */
  static own(folder: string, onTrouble: (trouble: Trouble) => void): OwnedLog {
    mkdirSync(folder, { recursive: true });
    const groups = join(folder, 'groups.db');
    const movedTo = setAsideIfDamaged(groups, Date.now());
    if (movedTo !== undefined)
      onTrouble({
        message: `${groups} was damaged, and is now ${movedTo}: every reader begins at the start of the log`,
      });
    const log = new SqliteEventLog(folder, onTrouble);
    log.recover();
    const damaged: string[] = [];
    for (const name of log.#groups.topics()) {
      try {
        const topic = log.#topic(name);
        if (topic.acknowledgedEnds.some((end, p) => end > topic.endOffset(p))) log.#skipLost(topic);
        topic.mergeAcknowledgedEnds();
      } catch (error) {
        if (!isLogDamage(error)) throw error;
        onTrouble({ message: `the topic ${name} cannot be opened`, error });
        damaged.push(topicPath(folder, name));
      }
    }
    return {
      damaged,
      [Symbol.asyncDispose]: async () => {
        for (const topic of log.#topics.values()) topic.checkpoint();
        await log.close();
      },
    };
  }

  #skipLost(topic: SqliteTopic): void {
    const from = topic.perPartition((p) => topic.endOffset(p));
    const acknowledged = topic.acknowledgedEnds;
    const to = from.map(
      (end, p) => Math.max(end, acknowledged[p]!, this.#groups.highestCommit(topic.name, p)) + lostOffsets,
    );
    for (const [p, offset] of to.entries()) topic.raiseFloor(p, offset);
    this.#onTrouble({
      message: `${topic.path}-wal is gone, or ${topic.path} is an old backup, and with it the last records of ${topic.name}: offsets go on at ${to.join(', ')} (partition 0, 1, …) instead of ${from.join(', ')}`,
    });
  }

  /**
   * Reads a topic's records and compares them with their checksums. Each damaged or lost range, by partition and offset; rejects with
   * `log-damaged` where the file cannot be read.
   */
  async damage(topic: string, signal: AbortSignal): Promise<LogGap[]> {
    const found: LogGap[] = [];
    const file = this.#topic(topic);
    for (let partition = 0; partition < file.partitionCount; partition++)
      for (const range of file.damage(partition)) {
        signal.throwIfAborted();
        if (range === undefined) await yieldToIo();
        else found.push({ topic, partition, ...range, reason: 'damaged' });
      }
    return found;
  }

  /** Works all partitions until the signal aborts, a handler fails, or another member has taken the group. */
  async #lead(options: ConsumeOptions, member: string, signal: AbortSignal): Promise<void> {
    // One failing partition stops the others; each still closes its handler.
    const failed = new AbortController();
    const stop = AbortSignal.any([signal, failed.signal]);
    try {
      const work = [
        this.#keepLease(options, member, stop),
        ...options.topics.flatMap((name) =>
          Array.from({ length: this.#partitions(name) }, (_, p) =>
            this.#workInParts(options, member, name, p, stop),
          ),
        ),
      ];
      for (const task of work) task.catch(() => failed.abort());
      for (const result of await Promise.allSettled(work)) {
        // A member that was stopped for longer than its lease joins again; the others have its work.
        if (result.status === 'fulfilled' || this.#lostLease(result.reason, options.group, member)) continue;
        if (!isRecreated(result.reason)) throw result.reason;
        this.#onTrouble({ message: `the group ${options.group} begins again`, error: result.reason });
      }
    } finally {
      failed.abort();
      this.#groups.release(options.group, member);
    }
  }

  /** Rejects when the group went to another member, or any topic was made anew: what handlers know of it is void. */
  async #keepLease({ group }: ConsumeOptions, member: string, signal: AbortSignal): Promise<void> {
    const epochs = this.#groups.epochs();
    while (!signal.aborted) {
      await sleep(leaseRenewalMs, undefined, { signal }).catch(() => {});
      for (const [topic, epoch] of this.#groups.epochs())
        if (!signal.aborted && (epochs.get(topic) ?? epoch) !== epoch) throw recreated(topic);
      // Who cannot write its lease keeps it: nobody else can write one either.
      if (!signal.aborted && (await untilStored(() => this.#groups.lease(group, member), signal)) === false)
        throw new EventLogError('not-assigned', `the group ${group} went to another member`);
    }
  }

  #lostLease(reason: unknown, group: string, member: string): boolean {
    return (
      reason instanceof EventLogError && reason.code === 'not-assigned' && !this.#groups.holds(group, member)
    );
  }

  /** As #work(), but where a file of the log cannot be read: then this partition waits until it can, and the others go on. */
  async #workInParts(
    options: ConsumeOptions,
    member: string,
    name: string,
    partition: number,
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      try {
        return await this.#work(options, member, name, partition, signal);
      } catch (error) {
        if (!isLogDamage(error)) throw error;
        const message = `${options.group} cannot go on with ${name}/${partition}; it is tried again`;
        this.#onTrouble({ message, error });
        await sleep(damageRetryMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  /** Works one partition until the signal aborts; where its topic is made anew, from the start of that one. */
  async #work(
    options: ConsumeOptions,
    member: string,
    name: string,
    partition: number,
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      const topic = this.#topic(name);
      const epoch = epochNow(topic);
      try {
        return await this.#workEpoch(options, member, topic, epoch, partition, signal);
      } catch (error) {
        // Whatever failed in the log because of it is done again there; a handler's own error is not.
        if (!(error instanceof EventLogError && (await this.#isMadeAnew(name, epoch, signal)))) throw error;
      }
    }
  }

  /** Whether the topic is another one now. Waits while it is deleted. */
  async #isMadeAnew(name: string, epoch: string, signal: AbortSignal): Promise<boolean> {
    for (const deadline = Date.now() + recreateMs; Date.now() < deadline && !signal.aborted;) {
      try {
        return epochNow(this.#topic(name)) !== epoch;
      } catch (error) {
        if (!(error instanceof EventLogError && error.code === 'unknown-topic')) throw error;
        await sleep(idleMs, undefined, { signal }).catch(() => {});
      }
    }
    return signal.aborted;
  }

  async #workEpoch(
    options: ConsumeOptions,
    member: string,
    topic: SqliteTopic,
    epoch: string,
    partition: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { name } = topic;
    const committed = this.#groups.committed(options.group, name, partition);
    const place = { topic: name, partition, epoch };
    let assigned = true;
    const assignment: Assignment = {
      topic: name,
      partition,
      committed,
      commit: async (offset, metadata = '') => {
        const store = (): boolean => this.#groups.commit(options.group, member, place, { offset, metadata });
        // It waits where there is no room: with that its partition does, and goes on when there is.
        if (!assigned || !(await untilStored(store, signal, true)))
          throw new EventLogError(
            'not-assigned',
            `${name}/${partition} is no longer assigned to this member`,
          );
      },
    };
    let handler: PartitionHandler | undefined;
    try {
      handler = await options.open(assignment);
      let next = handler.startOffset ?? committed?.offset ?? topic.startOffset(partition);
      while (!signal.aborted) {
        const records = topic.read(partition, next, options.maxRecords ?? defaultBatch);
        if (topic.epoch !== epoch) throw recreated(name);
        const gap = gapBefore(topic, partition, next, records);
        if (gap !== undefined) {
          if (handler.gap === undefined) throw outOfRange(gap);
          await handler.gap(gap);
          next = behind(gap);
        } else if (records.length > 0) {
          await handler.process(records);
          next = records.at(-1)!.offset + 1;
          await yieldToIo();
        } else {
          await handler.idle?.();
          await this.#notifier.wait(name, idleMs, signal);
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

  /** The topic, once its file can be opened; undefined when the signal aborts before. */
  async #readable(name: string, signal: AbortSignal): Promise<SqliteTopic | undefined> {
    while (!signal.aborted) {
      try {
        return this.#topic(name);
      } catch (error) {
        if (!isLogDamage(error)) throw error;
        this.#onTrouble({ message: `the topic ${name} cannot be followed; it is tried again`, error });
        await sleep(damageRetryMs, undefined, { signal }).catch(() => {});
      }
    }
    return undefined;
  }

  #partitions(name: string): number {
    const partitions = this.#groups.partitions(name);
    if (partitions === undefined) throw new EventLogError('unknown-topic', `there is no topic ${name}`);
    return partitions;
  }

  #topic(name: string): SqliteTopic {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      const partitions = this.#partitions(name);
      const known = this.#groups.epochs().get(name);
      const path = topicPath(this.#folder, name);
      const isGone = !existsSync(path);
      topic = new SqliteTopic(this.#folder, name, partitions);
      const epoch = this.#groups.settleEpoch(name, topic);
      this.#topics.set(name, topic);
      if (known !== undefined && known !== epoch)
        this.#onTrouble({
          message: isGone
            ? `${path} is gone, with all records of ${name}: the topic is made anew`
            : `${path} no longer holds the topic that it held, or ${path}-wal was lost with all of it: the topic is another one now`,
        });
    }
    return topic;
  }

  #perPartition<T>(name: string, get: (topic: SqliteTopic, partition: number) => T): T[] {
    const topic = this.#topic(name);
    return topic.perPartition((p) => get(topic, p));
  }
}

/** The log of the process that owns it. Disposed when nobody else has it open. */
export interface OwnedLog extends AsyncDisposable {
  /** The files of topics that cannot be opened. */
  damaged: readonly string[];
}

function isLogDamage(error: unknown): error is EventLogError {
  return error instanceof EventLogError && error.code === 'log-damaged';
}

/**
 * What `store` returns once it could write. Where the disk is full or read-only it is tried again until the signal aborts: then
 * undefined, or its last error.
 */
async function untilStored<T>(store: () => T, signal: AbortSignal, throws = false): Promise<T | undefined> {
  for (;;) {
    try {
      return store();
    } catch (error) {
      if (storageTrouble(error) === undefined || (signal.aborted && throws)) throw error;
      if (signal.aborted) return undefined;
    }
    await sleep(retryMs, undefined, { signal }).catch(() => {});
  }
}

function epochNow(topic: SqliteTopic): string {
  const { epoch } = topic;
  if (epoch === undefined) throw new EventLogError('unknown-topic', `there is no topic ${topic.name}`);
  return epoch;
}

function isRecreated(error: unknown): error is EventLogError {
  return error instanceof EventLogError && error.code === 'topic-recreated';
}

function recreated(name: string): EventLogError {
  return new EventLogError('topic-recreated', `${name} was made anew: its offsets name other records now`);
}

/** What is missing between where a reader was and what it got. Offsets of this log have no holes, but for what was lost. */
function gapBefore(
  topic: SqliteTopic,
  partition: number,
  next: number,
  records: readonly LogRecord[],
): LogGap | undefined {
  const place = { topic: topic.name, partition };
  const first = records[0]?.offset;
  if (first === next) return undefined;
  if (first !== undefined) {
    const damaged = topic.damagedAt(partition, next);
    if (damaged !== undefined) return { ...place, ...damaged, reason: 'damaged' };
    // Behind what was trimmed there may be damage, which is a gap of its own.
    const start = topic.startOffset(partition);
    return { ...place, from: next, to: start > next ? start : first, reason: 'trimmed' };
  }
  const end = topic.endOffset(partition);
  if (next < end) {
    const damaged = topic.damagedAt(partition, next);
    return damaged === undefined ? undefined : { ...place, ...damaged, reason: 'damaged' };
  }
  return next <= end ? undefined : { ...place, from: end, to: next, reason: 'lost-end' };
}

function behind({ reason, from, to }: LogGap): number {
  return reason === 'lost-end' ? from : to;
}

/** SQLite answers at once, so a busy reader would never let a socket or a timer have its turn. */
function yieldToIo(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
