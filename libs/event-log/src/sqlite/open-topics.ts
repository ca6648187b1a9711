import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventLogError, type Trouble } from '../event-log.ts';
import type { SqliteConsumerGroups } from './consumer-groups.ts';
import { damageRetryMs, isLogDamage } from './log-damage.ts';
import { SqliteTopic, topicPath } from './topic.ts';

/** The topics of a folder, each opened at its first use. Reports when a topic's file was replaced. */
export class OpenTopics {
  readonly #folder: string;
  readonly #groups: SqliteConsumerGroups;
  readonly #onTrouble: (trouble: Trouble) => void;
  readonly #open = new Map<string, SqliteTopic>();

  constructor(folder: string, groups: SqliteConsumerGroups, onTrouble: (trouble: Trouble) => void) {
    this.#folder = folder;
    this.#groups = groups;
    this.#onTrouble = onTrouble;
  }

  /** Throws EventLogError `unknown-topic`. */
  partitionCount(name: string): number {
    const partitions = this.#groups.partitions(name);
    if (partitions === undefined) throw new EventLogError('unknown-topic', `there is no topic ${name}`);
    return partitions;
  }

  /** Throws EventLogError `unknown-topic`, or `log-damaged` where its file cannot be read. */
  get(name: string): SqliteTopic {
    let topic = this.#open.get(name);
    if (topic === undefined) {
      const partitions = this.partitionCount(name);
      const known = this.#groups.epochs().get(name);
      const path = topicPath(this.#folder, name);
      const isGone = !existsSync(path);
      topic = new SqliteTopic(this.#folder, name, partitions);
      const epoch = this.#groups.settleEpoch(name, topic);
      this.#open.set(name, topic);
      if (known !== undefined && known !== epoch)
        this.#onTrouble({
          message: isGone
            ? `${path} is gone, with all records of ${name}: the topic is recreated`
            : `${path} no longer holds the same topic, or ${path}-wal was lost with all of its records: the topic counts as recreated`,
        });
    }
    return topic;
  }

  /** The topic, once its file can be opened; undefined when the signal aborts before. */
  async readable(name: string, signal: AbortSignal): Promise<SqliteTopic | undefined> {
    while (!signal.aborted) {
      try {
        return this.get(name);
      } catch (error) {
        if (!isLogDamage(error)) throw error;
        this.#onTrouble({ message: `the topic ${name} cannot be followed; retrying`, error });
        await sleep(damageRetryMs, undefined, { signal }).catch(() => {});
      }
    }
    return undefined;
  }

  /** Closes the file; the next get() opens it again. */
  forget(name: string): void {
    this.#open.get(name)?.close();
    this.#open.delete(name);
  }

  /** Moves the write-ahead files into the topics' files. */
  checkpoint(): void {
    for (const topic of this.#open.values()) topic.checkpoint();
  }

  close(): void {
    for (const topic of this.#open.values()) topic.close();
  }
}
