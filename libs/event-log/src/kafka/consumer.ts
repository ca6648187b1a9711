import { setTimeout as sleep } from 'node:timers/promises';
import {
  EventLogError,
  maxMetadataBytes,
  outOfRange,
  type Assignment,
  type Commit,
  type ConsumeOptions,
  type PartitionHandler,
} from '../event-log.ts';
import { readCommit, writeMetadata } from './commit.ts';
import { logUnavailable } from './error.ts';
import { KafkaFeeds, type Feed, type FeedDeps } from './feed.ts';
import { KafkaMembership, type AssignedPartition } from './membership.ts';
import type { KafkaReader } from './reader.ts';
import { noteFault } from './security/note-fault.ts';

const defaultBatch = 1000;
const heartbeatMs = 500;

export interface ConsumerDeps extends FeedDeps {
  reader: KafkaReader;
}

/**
 * Works as a member of a group. On a rebalance every handler is closed, and may commit, before the member joins again: the coordinator
 * makes the others wait meanwhile, for at most a minute. Heartbeats continue while handlers work, however long that takes.
 */
export class KafkaConsumer {
  readonly #deps: ConsumerDeps;
  readonly #options: ConsumeOptions;
  readonly #membership: KafkaMembership;
  /** When this member last made progress: joined, or finished a handler's work. */
  #workedAt = Date.now();

  constructor(deps: ConsumerDeps, options: ConsumeOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#membership = new KafkaMembership(deps.settings, options.group, options.topics);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { settings } = this.#deps;
    const aborted = untilAborted(signal);
    this.#workedAt = Date.now();
    let failures = 0;
    const what = `cannot work in the group ${this.#options.group}`;
    try {
      while (!signal.aborted) {
        try {
          const partitions = await Promise.race([this.#membership.join(), aborted]);
          if (partitions === undefined) return;
          const commits = await Promise.race([this.#commits(partitions), aborted]);
          if (commits === undefined) return;
          failures = 0;
          settings.faults.taken(what);
          await this.#hold(partitions, commits, signal);
          this.#workedAt = Date.now();
        } catch (error) {
          if (error instanceof HandlerFailure) throw error.cause;
          noteFault(settings, error, what);
          if (Date.now() - this.#workedAt > settings.outageMs) throw logUnavailable(what, error);
          settings.onTrouble({ message: `${what}; it joins again`, error: error as Error });
          await Promise.race([this.#membership.recover(error, failures++), aborted]);
        }
      }
    } finally {
      await this.#membership.leave();
    }
  }

  /** The group's commits that are valid: those on the topics as they are now. */
  async #commits(partitions: readonly AssignedPartition[]): Promise<(Commit | null)[]> {
    const { epochs, reader } = this.#deps;
    for (const topic of new Set(partitions.map((place) => place.topic))) await epochs.refresh(topic);
    const commits = await this.#membership.committed(partitions);
    return Promise.all(
      commits.map(async (stored, i) => {
        const { topic, partition } = partitions[i]!;
        if (stored === null) return null;
        const { commit, isCertain } = readCommit(stored, await epochs.epochOf(topic));
        if (commit === null || commit.offset === 0 || isCertain) return commit;
        // A commit of an earlier release, which does not name the topic's epoch.
        return (await reader.isBeyondEnd(topic, partition, commit.offset)) ? null : commit;
      }),
    );
  }

  /** Works the partitions until the signal aborts, the group rebalances, the membership is lost or a handler fails. */
  async #hold(
    partitions: readonly AssignedPartition[],
    commits: readonly (Commit | null)[],
    signal: AbortSignal,
  ): Promise<void> {
    const { settings, epochs } = this.#deps;
    const term = new Term(signal);
    // The handlers' knowledge of any topic may be void, so they are opened again.
    using watching = new DisposableStack();
    watching.use(
      epochs.onRecreated((topic) => {
        settings.onTrouble({
          message: `${topic} was recreated; the group ${this.#options.group} begins again`,
        });
        term.lose();
      }),
    );
    const feeds = new KafkaFeeds(this.#deps);
    const done = new AbortController();
    const beating = this.#beat(term, done.signal);
    const work = partitions.map((partition, i) => this.#work(feeds, term, partition, commits[i]!));
    for (const task of work) task.catch(() => term.end());
    // A member that got no partition waits like the others for the next rebalance.
    await untilAborted(term.ended);
    const results = await Promise.allSettled(work);
    done.abort();
    await beating;
    let outage: Error | undefined;
    for (const result of results) {
      if (result.status !== 'rejected' || (term.isLost && isNotAssigned(result.reason))) continue;
      // A handler that could not reach something begins again at its commit, as after a rebalance.
      if (!isPassing(result.reason)) throw new HandlerFailure(result.reason);
      outage = result.reason;
    }
    if (outage !== undefined) throw outage;
  }

  async #beat(term: Term, done: AbortSignal): Promise<void> {
    const { sessionTimeoutMs, onTrouble } = this.#deps.settings;
    let heardAt = Date.now();
    while (!done.aborted) {
      await sleep(heartbeatMs, undefined, { signal: done }).catch(() => {});
      if (done.aborted) return;
      try {
        const state = await this.#membership.heartbeat();
        heardAt = Date.now();
        if (state === 'lost') term.lose();
        if (state === 'rebalancing') term.end();
      } catch (error) {
        onTrouble({ message: `no heartbeat in the group ${this.#options.group}`, error: error as Error });
        if (Date.now() - heardAt > sessionTimeoutMs) term.lose();
      }
    }
  }

  async #work(
    feeds: KafkaFeeds,
    term: Term,
    place: AssignedPartition,
    committed: Commit | null,
  ): Promise<void> {
    const { epochs, reader } = this.#deps;
    const { topic, partition } = place;
    const [topicId, epoch] = [await epochs.idOf(topic), await epochs.epochOf(topic)];
    let isAssigned = true;
    const assignment: Assignment = {
      ...place,
      committed,
      commit: async (offset, metadata = '') => {
        if (Buffer.byteLength(metadata) > maxMetadataBytes)
          throw new EventLogError(
            'metadata-too-large',
            `commit metadata is limited to ${maxMetadataBytes} bytes`,
          );
        if (!isAssigned || term.isLost) throw notAssigned(place);
        try {
          await this.#membership.commit(place, { offset, metadata: writeMetadata(epoch, metadata) });
        } catch (error) {
          if (isNotAssigned(error)) term.lose();
          throw error;
        }
      },
    };
    let handler: PartitionHandler | undefined;
    let feed: Feed | undefined;
    try {
      handler = await this.#options.open(assignment);
      const startOffset =
        handler.startOffset ?? committed?.offset ?? (await reader.startOffset(topic, partition));
      feed = feeds.open(topic, topicId, partition, startOffset);
      const { take, takeGap, close } = feed;
      term.ended.addEventListener('abort', close, { once: true });
      while (!term.ended.aborted) {
        const records = await take(this.#options.maxRecords ?? defaultBatch).catch((error: unknown) => {
          if (!isRecreated(error)) throw error;
          // All handlers are opened again, on the topics as they are now.
          term.lose();
          return [];
        });
        if (term.ended.aborted) break;
        const gap = takeGap();
        try {
          if (gap !== undefined) {
            if (handler.gap === undefined) throw outOfRange(gap);
            await handler.gap(gap);
          } else if (records.length > 0) await handler.process(records);
          else await handler.idle?.();
        } catch (error) {
          if (!isRecreated(error)) throw error;
          term.lose();
        }
        this.#workedAt = Date.now();
      }
    } finally {
      feed?.close();
      try {
        await handler?.close?.();
      } finally {
        isAssigned = false;
      }
    }
  }
}

/** The time between two rebalances. */
class Term {
  readonly ended: AbortSignal;
  /** Whether the partitions are already assigned to others. */
  isLost = false;
  readonly #end = new AbortController();

  constructor(signal: AbortSignal) {
    this.ended = AbortSignal.any([signal, this.#end.signal]);
  }

  end(): void {
    this.#end.abort();
  }

  lose(): void {
    this.isLost = true;
    this.#end.abort();
  }
}

/** Marks a handler's error, to distinguish it from the log's own. */
class HandlerFailure extends Error {
  constructor(cause: unknown) {
    super('a handler failed', { cause });
  }
}

function isRecreated(error: unknown): boolean {
  return error instanceof EventLogError && error.code === 'topic-recreated';
}

function isNotAssigned(error: unknown): boolean {
  return error instanceof EventLogError && error.code === 'not-assigned';
}

/** Whether the error itself is marked as retriable. */
function isPassing(error: unknown): error is Error {
  return error instanceof Error && 'retriable' in error && error.retriable === true;
}

function notAssigned({ topic, partition }: AssignedPartition): EventLogError {
  return new EventLogError('not-assigned', `${topic}/${partition} is no longer assigned to this member`);
}

/** Resolves when the signal aborts. */
function untilAborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
