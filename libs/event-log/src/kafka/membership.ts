import kafkajs from 'kafkajs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventLogError, type Commit } from '../event-log.ts';
import { KafkaConnection, quickRetry } from './connection.ts';
import { backoffMs, errorType, logUnavailable } from './error.ts';
import {
  ConsumerGroupClass,
  InstrumentationEmitter,
  makeAssigner,
  silentLogger,
  type Cluster,
  type ConsumerGroup,
} from './internals.ts';
import type { KafkaSettings } from './options.ts';
import { noteFault } from './security/note-fault.ts';

export interface AssignedPartition {
  topic: string;
  partition: number;
}

/** How long the others wait for a member that is still closing its handlers. */
const rebalanceTimeoutMs = 60_000;
/** A leave that takes longer is abandoned: the session's end completes it. */
const leaveMs = 3_000;

/** The member lost its partitions: others have them, or will. */
const lost = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID']);

/** This process as a member of a consumer group, from join to leave, in the classic protocol. */
export class KafkaMembership {
  readonly #settings: KafkaSettings;
  readonly #group: string;
  readonly #topics: readonly string[];
  #connection: KafkaConnection;
  #membership: { cluster: Cluster; group: ConsumerGroup } | undefined;
  #joining: Promise<unknown> = Promise.resolve();

  constructor(settings: KafkaSettings, group: string, topics: readonly string[]) {
    this.#settings = settings;
    this.#group = group;
    this.#topics = topics;
    this.#connection = new KafkaConnection(settings);
  }

  /** Joins, or joins again after a rebalance; waits for the other members. Throws kafkajs's errors. */
  async join(): Promise<AssignedPartition[]> {
    const joining = this.#join();
    this.#joining = joining.catch(() => {});
    return joining;
  }

  /** Sends a heartbeat, and returns whether the member must give its partitions back. Throws when no broker answers. */
  async heartbeat(): Promise<'held' | 'rebalancing' | 'lost'> {
    const { group } = this.#joined();
    try {
      await group.coordinator.heartbeat({
        groupId: this.#group,
        groupGenerationId: group.generationId,
        memberId: group.memberId!,
      });
      return 'held';
    } catch (error) {
      const type = errorType(error) ?? '';
      if (type === 'REBALANCE_IN_PROGRESS') return 'rebalancing';
      if (lost.has(type)) return 'lost';
      await this.#findCoordinator();
      throw error;
    }
  }

  /** Stores a position. Throws EventLogError `not-assigned` or `log-unavailable`. */
  async commit({ topic, partition }: AssignedPartition, { offset, metadata }: Commit): Promise<void> {
    const { group } = this.#joined();
    const { generationId, memberId } = group;
    const request = {
      groupId: this.#group,
      groupGenerationId: generationId,
      memberId: memberId!,
      topics: [{ topic, partitions: [{ partition, offset: String(offset), metadata }] }],
    };
    await this.#withCoordinator(`cannot commit for ${this.#group}`, async () => {
      try {
        await group.coordinator.offsetCommit(request);
      } catch (error) {
        const type = errorType(error) ?? '';
        if (!lost.has(type) && type !== 'REBALANCE_IN_PROGRESS') throw error;
        throw new EventLogError(
          'not-assigned',
          `${topic}/${partition} is no longer assigned to this member`,
          {
            cause: error,
          },
        );
      }
    });
  }

  /** The group's commits for these partitions, in their order. */
  async committed(partitions: readonly AssignedPartition[]): Promise<(Commit | null)[]> {
    if (partitions.length === 0) return [];
    const { group } = this.#joined();
    const byTopic = Map.groupBy(partitions, ({ topic }) => topic);
    const request = {
      groupId: this.#group,
      topics: [...byTopic].map(([topic, of]) => ({
        topic,
        partitions: of.map(({ partition }) => ({ partition })),
      })),
    };
    const { responses } = await this.#withCoordinator(`cannot read the commits of ${this.#group}`, () =>
      group.coordinator.offsetFetch(request),
    );
    return partitions.map(({ topic, partition }) => {
      const commit = responses
        .find((response) => response.topic === topic)
        ?.partitions.find((p) => p.partition === partition);
      return commit === undefined || Number(commit.offset) < 0
        ? null
        : { offset: Number(commit.offset), metadata: commit.metadata ?? '' };
    });
  }

  /** Waits after a failed join; the connections are replaced now and then. */
  async recover(error: unknown, attempt: number): Promise<void> {
    await this.#connection.recover(error, attempt);
  }

  /** Leaves the group, so that the others need not wait for the session's end, and disconnects. */
  async leave(): Promise<void> {
    const leaving = this.#joining.then(() => this.#membership?.group.leave()).catch(() => {});
    const timer = new AbortController();
    await Promise.race([leaving, sleep(leaveMs, undefined, { signal: timer.signal }).catch(() => {})]);
    timer.abort();
    await this.#connection.close();
  }

  async #join(): Promise<AssignedPartition[]> {
    const cluster = await this.#connection.cluster(this.#topics);
    if (this.#membership?.cluster !== cluster) {
      const group = this.#newGroup(cluster);
      // The same member id on new connections, so that it need not wait for its own session to end.
      group.memberId = this.#membership?.group.memberId ?? null;
      this.#membership = { cluster, group };
    }
    const { group } = this.#membership;
    await group.joinAndSync();
    return group
      .assigned()
      .flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })));
  }

  #newGroup(cluster: Cluster): ConsumerGroup {
    return new ConsumerGroupClass({
      cluster,
      groupId: this.#group,
      topics: this.#topics,
      topicConfigurations: {},
      logger: silentLogger,
      instrumentationEmitter: new InstrumentationEmitter(),
      assigners: [makeAssigner(kafkajs.PartitionAssigners.roundRobin, cluster, this.#group)],
      sessionTimeout: this.#settings.sessionTimeoutMs,
      rebalanceTimeout: rebalanceTimeoutMs,
      autoCommit: false,
      retry: quickRetry,
    });
  }

  async #withCoordinator<T>(what: string, work: () => Promise<T>): Promise<T> {
    const start = Date.now();
    for (let attempt = 0; ; attempt++) {
      try {
        const result = await this.#settings.patience.attempt(work);
        this.#settings.faults.taken(what);
        return result;
      } catch (error) {
        if (error instanceof EventLogError) throw error;
        noteFault(this.#settings, error, what);
        if (this.#settings.patience.left(start) <= 0) throw logUnavailable(what, error);
        await sleep(backoffMs(attempt));
        await this.#settings.patience.attempt(() => this.#findCoordinator()).catch(() => {});
      }
    }
  }

  /** The coordinator moves when its broker stops. */
  async #findCoordinator(): Promise<void> {
    const { cluster, group } = this.#joined();
    try {
      await cluster.refreshMetadata();
      group.coordinator = await cluster.findGroupCoordinator({ groupId: this.#group });
    } catch {
      // No broker knows the coordinator yet; the next attempt asks again.
    }
  }

  #joined(): { cluster: Cluster; group: ConsumerGroup } {
    if (this.#membership === undefined) throw new Error('the member has not joined');
    return this.#membership;
  }
}
