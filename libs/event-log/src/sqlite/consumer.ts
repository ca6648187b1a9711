import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  EventLogError,
  outOfRange,
  type Assignment,
  type ConsumeOptions,
  type PartitionHandler,
  type Trouble,
} from '../event-log.ts';
import type { AppendNotifier } from './append-notifier.ts';
import { leaseRenewalMs, type SqliteConsumerGroups } from './consumer-groups.ts';
import { gapBefore, offsetAfter } from './gap-before.ts';
import { damageRetryMs, isLogDamage } from './log-damage.ts';
import type { OpenTopics } from './open-topics.ts';
import type { SqliteTopic } from './topic.ts';
import { epochNow, isTopicRecreated, topicRecreated } from './topic-epoch.ts';
import { untilStored } from './until-stored.ts';
import { yieldToIo } from './yield-to-io.ts';

const defaultBatch = 1000;
const idleMs = 100;
/** How long a topic that was deleted under its readers may be missing before it is recreated, ms. */
const recreateMs = 600_000;

export interface SqliteConsumerDeps {
  groups: SqliteConsumerGroups;
  topics: OpenTopics;
  notifier: AppendNotifier;
  onTrouble: (trouble: Trouble) => void;
}

/** A member of a consumer group. One member of a group works on all partitions; the others wait for its lease to end. */
export class SqliteConsumer {
  readonly #groups: SqliteConsumerGroups;
  readonly #topics: OpenTopics;
  readonly #notifier: AppendNotifier;
  readonly #onTrouble: (trouble: Trouble) => void;

  constructor({ groups, topics, notifier, onTrouble }: SqliteConsumerDeps) {
    this.#groups = groups;
    this.#topics = topics;
    this.#notifier = notifier;
    this.#onTrouble = onTrouble;
  }

  /** As EventLog.consume(). */
  async run(options: ConsumeOptions, signal: AbortSignal): Promise<void> {
    const member = randomUUID();
    while (!signal.aborted) {
      const holds = await untilStored(() => this.#groups.lease(options.group, member), signal);
      if (holds === true) await this.#lead(options, member, signal);
      else await sleep(idleMs, undefined, { signal }).catch(() => {});
    }
  }

  /** Works on all partitions until the signal aborts, a handler fails, or another member has taken the group. */
  async #lead(options: ConsumeOptions, member: string, signal: AbortSignal): Promise<void> {
    // One failing partition stops the others; each still closes its handler.
    const failed = new AbortController();
    const stop = AbortSignal.any([signal, failed.signal]);
    try {
      const work = [
        this.#keepLease(options, member, stop),
        ...options.topics.flatMap((name) =>
          Array.from({ length: this.#topics.partitionCount(name) }, (_, p) =>
            this.#workInParts(options, member, name, p, stop),
          ),
        ),
      ];
      for (const task of work) task.catch(() => failed.abort());
      for (const result of await Promise.allSettled(work)) {
        // A member that was stopped for longer than its lease joins again; the others have taken over its work.
        if (result.status === 'fulfilled' || this.#lostLease(result.reason, options.group, member)) continue;
        if (!isTopicRecreated(result.reason)) throw result.reason;
        this.#onTrouble({ message: `the group ${options.group} begins again`, error: result.reason });
      }
    } finally {
      failed.abort();
      this.#groups.release(options.group, member);
    }
  }

  /** Rejects when another member has taken the group, or any topic was recreated: the handlers' knowledge of it is void. */
  async #keepLease({ group }: ConsumeOptions, member: string, signal: AbortSignal): Promise<void> {
    const epochs = this.#groups.epochs();
    while (!signal.aborted) {
      await sleep(leaseRenewalMs, undefined, { signal }).catch(() => {});
      for (const [topic, epoch] of this.#groups.epochs())
        if (!signal.aborted && (epochs.get(topic) ?? epoch) !== epoch) throw topicRecreated(topic);
      // A member that cannot write its lease keeps it: no other member can write one either.
      if (!signal.aborted && (await untilStored(() => this.#groups.lease(group, member), signal)) === false)
        throw new EventLogError('not-assigned', `another member has taken the group ${group}`);
    }
  }

  #lostLease(reason: unknown, group: string, member: string): boolean {
    return (
      reason instanceof EventLogError && reason.code === 'not-assigned' && !this.#groups.holds(group, member)
    );
  }

  /** Like #work(), but if a file of the log cannot be read, this partition waits until it can, and the others continue. */
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
        const message = `${options.group} cannot continue with ${name}/${partition}; retrying`;
        this.#onTrouble({ message, error });
        await sleep(damageRetryMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  /** Works on one partition until the signal aborts; if its topic is recreated, from the new topic's start. */
  async #work(
    options: ConsumeOptions,
    member: string,
    name: string,
    partition: number,
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      const topic = this.#topics.get(name);
      const epoch = epochNow(topic);
      try {
        return await this.#workEpoch(options, member, topic, epoch, partition, signal);
      } catch (error) {
        // Operations of the log that failed because of it are repeated there; a handler's own error is not.
        if (!(error instanceof EventLogError && (await this.#isMadeAnew(name, epoch, signal)))) throw error;
      }
    }
  }

  /** Whether the topic was recreated. Waits while it does not exist. */
  async #isMadeAnew(name: string, epoch: string, signal: AbortSignal): Promise<boolean> {
    for (const deadline = Date.now() + recreateMs; Date.now() < deadline && !signal.aborted;) {
      try {
        return epochNow(this.#topics.get(name)) !== epoch;
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
        // While the disk is full it waits, and so does its partition.
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
        if (topic.epoch !== epoch) throw topicRecreated(name);
        const gap = gapBefore(topic, partition, next, records);
        if (gap !== undefined) {
          if (handler.gap === undefined) throw outOfRange(gap);
          await handler.gap(gap);
          next = offsetAfter(gap);
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
}
