import { setAsideIfDamaged } from '@logloom/sqlite';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type {
  ConsumeOptions,
  EventLog,
  FollowOptions,
  LogGap,
  LogRecord,
  NewRecord,
  TopicSpec,
  Trouble,
} from '../event-log.ts';
import { AppendNotifier } from './append-notifier.ts';
import { SqliteConsumerGroups } from './consumer-groups.ts';
import { SqliteConsumer } from './consumer.ts';
import { follow } from './follow.ts';
import { gapBefore } from './gap-before.ts';
import { isLogDamage } from './log-damage.ts';
import { OpenTopics } from './open-topics.ts';
import { maintainTopics } from './maintain-topics.ts';
import type { SkippedOffsets } from '../skipped-offsets.ts';
import { epochNow } from './topic-epoch.ts';
import { topicPath, type SqliteTopic } from './topic.ts';
import { yieldToIo } from './yield-to-io.ts';

/**
 * More than a write-ahead file ever holds: it is checkpointed at every 16 MB. After a power loss the stored ends may be behind by this
 * much.
 */
const lostOffsets = 2 ** 24;

/** The damage of a log that no process uses. */
export interface LogCheck {
  /** Records that do not match their checksum, and offsets that were acknowledged or committed and are not there. */
  damaged: LogGap[];
  /** Files of topics that cannot be read at all. */
  unreadable: string[];
}

/**
 * The embedded log: SQLite files in one folder, WAL, synchronous=FULL. Durable against kill -9 and power loss. One process writes it (see
 * lockDataFolder) on any number of threads, each with its own instance. Its child processes may read: they see commits within 100 ms, or at
 * once if they are notified (onAppended() there, announce() here).
 */
export class SqliteEventLog implements EventLog {
  readonly epoch: string;
  readonly #folder: string;
  readonly #groups: SqliteConsumerGroups;
  readonly #onTrouble: (trouble: Trouble) => void;
  readonly #topics: OpenTopics;
  readonly #notifier: AppendNotifier;
  readonly #consumer: SqliteConsumer;

  constructor(folder: string, onTrouble: (trouble: Trouble) => void = () => {}) {
    mkdirSync(folder, { recursive: true });
    this.#onTrouble = onTrouble;
    this.#folder = folder;
    this.#groups = new SqliteConsumerGroups(folder);
    this.epoch = this.#groups.epoch;
    this.#topics = new OpenTopics(folder, this.#groups, onTrouble);
    this.#notifier = new AppendNotifier(`event-log:${this.epoch}`);
    this.#consumer = new SqliteConsumer({
      groups: this.#groups,
      topics: this.#topics,
      notifier: this.#notifier,
      onTrouble,
    });
  }

  async createTopics(topics: readonly TopicSpec[]): Promise<void> {
    for (const topic of topics) {
      this.#groups.createTopic(topic);
      try {
        this.#topics.get(topic.name);
      } catch (error) {
        // The other topics work; users of this one get the error.
        if (!isLogDamage(error)) throw error;
        this.#onTrouble({ message: `the topic ${topic.name} cannot be opened`, error });
      }
    }
  }

  async epochOf(topic: string): Promise<string> {
    return epochNow(this.#topics.get(topic));
  }

  async partitionCount(topic: string): Promise<number> {
    return this.#topics.partitionCount(topic);
  }

  async append(topic: string, records: readonly NewRecord[]): Promise<number[]> {
    if (records.length === 0) return [];
    const offsets = this.#topics.get(topic).append(records, Date.now());
    this.#notifier.announce(topic);
    return offsets;
  }

  /** Calls the listener whenever a thread of this process has appended to a topic; returns the function that removes it. */
  onAppended(listener: (topic: string) => void): () => void {
    return this.#notifier.listen(listener);
  }

  /** Bytes of a topic's file that records may take without its growing. */
  reusableBytes(topic: string): number {
    return this.#topics.get(topic).reusableBytes;
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
    const records = this.#topics.get(topic).read(partition, fromOffset, maxRecords);
    const gap = onGap && gapBefore(this.#topics.get(topic), partition, fromOffset, records);
    if (gap !== undefined && gap.reason !== 'lost-end') onGap?.(gap);
    return records;
  }

  async startOffsets(topic: string): Promise<number[]> {
    return perPartition(this.#topics.get(topic), (t, p) => t.startOffset(p));
  }

  async endOffsets(topic: string): Promise<number[]> {
    return perPartition(this.#topics.get(topic), (t, p) => t.endOffset(p));
  }

  async offsetsByTime(topic: string, timestampMs: number): Promise<number[]> {
    return perPartition(this.#topics.get(topic), (t, p) => t.offsetByTime(p, timestampMs));
  }

  skippedOffsets(topic: string): readonly SkippedOffsets[] {
    const file = this.#topics.get(topic);
    return file.perPartition((p) => file.skips(p)).flat();
  }

  async follow(options: FollowOptions, signal: AbortSignal): Promise<void> {
    const [topics, notifier, onTrouble] = [this.#topics, this.#notifier, this.#onTrouble];
    await follow({ topics, notifier, onTrouble }, options, signal);
  }

  async consume(options: ConsumeOptions, signal: AbortSignal): Promise<void> {
    await this.#consumer.run(options, signal);
  }

  async committed(group: string, topic: string): Promise<({ offset: number; metadata: string } | null)[]> {
    const partitions = Array.from({ length: this.#topics.partitionCount(topic) });
    return partitions.map((_, p) => this.#groups.committed(group, topic, p));
  }

  async trim(topic: string, beforeMs: number): Promise<void> {
    this.#topics.get(topic).trim(beforeMs);
  }

  async maintain(signal: AbortSignal): Promise<void> {
    const topics = () =>
      this.#groups.topics().map((name) => ({
        path: topicPath(this.#folder, name),
        partitions: this.#topics.partitionCount(name),
      }));
    await maintainTopics({ topics, onTrouble: this.#onTrouble }, signal);
  }

  async deleteTopic(topic: string): Promise<void> {
    this.#topics.get(topic).drop();
    this.#topics.forget(topic);
    this.#groups.deleteTopic(topic);
  }

  async close(): Promise<void> {
    this.#topics.close();
    this.#groups.close();
    this.#notifier.close();
  }

  /** Cleans up after an earlier process. Called once, by the process that has locked the folder, before others open it. */
  recover(): void {
    this.#groups.releaseAll();
  }

  /**
   * For the process that has locked the folder; called before others open the log, and disposed of after they have closed it. Cleans up
   * after an earlier process, and detects acknowledged records that were lost since. Their offsets are not reused: they become a gap, and
   * new records cannot be mistaken for them.
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
        const topic = log.#topics.get(name);
        if (topic.acknowledgedEnds.some((end, p) => end > topic.endOffset(p))) log.#skipLost(topic);
        topic.mergeAcknowledgedEnds();
        topic.rewriteIfMostlyFree();
      } catch (error) {
        if (!isLogDamage(error)) throw error;
        onTrouble({ message: `the topic ${name} cannot be opened`, error });
        damaged.push(topicPath(folder, name));
      }
    }
    return {
      damaged,
      [Symbol.asyncDispose]: async () => {
        log.#topics.checkpoint();
        await log.close();
      },
    };
  }

  /**
   * For a log that was just copied from a backup, before anybody opens it: its records keep their offsets, and new ones get none that the
   * log which the backup was made of may have given out since.
   */
  static async skipRestored(folder: string): Promise<void> {
    const log = new SqliteEventLog(folder);
    try {
      for (const name of log.#groups.topics()) log.#topics.get(name).skipRestored();
      log.#topics.checkpoint();
    } finally {
      await log.close();
    }
  }

  #skipLost(topic: SqliteTopic): void {
    const from = topic.perPartition((p) => topic.endOffset(p));
    const acknowledged = topic.acknowledgedEnds;
    const to = from.map(
      (end, p) => Math.max(end, acknowledged[p]!, this.#groups.highestCommit(topic.name, p)) + lostOffsets,
    );
    for (const [p, offset] of to.entries()) topic.raiseFloor(p, offset);
    this.#onTrouble({
      message: `${topic.path}-wal is gone, or ${topic.path} is an old backup, and with it the last records of ${topic.name}: offsets continue at ${to.join(', ')} (partition 0, 1, …) instead of ${from.join(', ')}`,
    });
  }

  /**
   * Reads a topic's records and compares them with their checksums. Each damaged or lost range, by partition and offset; rejects with
   * `log-damaged` where the file cannot be read.
   */
  async damage(topic: string, signal: AbortSignal): Promise<LogGap[]> {
    const found: LogGap[] = [];
    const file = this.#topics.get(topic);
    for (let partition = 0; partition < file.partitionCount; partition++)
      for (const range of file.damage(partition)) {
        signal.throwIfAborted();
        if (range === undefined) await yieldToIo();
        else found.push({ topic, partition, ...range, reason: 'damaged' });
      }
    return found;
  }

  /**
   * Reads all topics of a log that no process works on, and compares them with their checksums and with what was acknowledged and
   * committed. Changes nothing, while own() would repair what it finds.
   */
  async check(signal: AbortSignal): Promise<LogCheck> {
    const found: LogCheck = { damaged: [], unreadable: [] };
    for (const name of this.#groups.topics()) {
      try {
        const topic = this.#topics.get(name);
        found.damaged.push(...(await this.damage(name, signal)));
        for (const [partition, acknowledged] of topic.acknowledgedEnds.entries()) {
          const from = topic.endOffset(partition);
          const to = Math.max(acknowledged, this.#groups.highestCommit(name, partition));
          if (to > from) found.damaged.push({ topic: name, partition, from, to, reason: 'lost-end' });
        }
      } catch (error) {
        if (!isLogDamage(error)) throw error;
        found.unreadable.push(topicPath(this.#folder, name));
      }
    }
    return found;
  }
}

function perPartition<T>(topic: SqliteTopic, get: (topic: SqliteTopic, partition: number) => T): T[] {
  return topic.perPartition((p) => get(topic, p));
}

/** The log of the process that owns it. Dispose of it when nobody else has it open. */
export interface OwnedLog extends AsyncDisposable {
  /** The files of topics that cannot be opened. */
  damaged: readonly string[];
}
