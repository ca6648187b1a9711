import { setTimeout as sleep } from 'node:timers/promises';
import type { BrokerWatch } from './broker-watch.ts';
import type { ClusterMetadata, PartitionMetadata } from './cluster-metadata.ts';
import { MetadataClient } from './metadata-client.ts';
import type { KafkaSettings } from './options.ts';

const lookEveryMs = 5_000;
/** The same interval while something is wrong, and before a problem is believed. */
const lookAgainMs = 1_000;

/** A partition by the newest view that any broker has of it. */
interface PartitionView extends PartitionMetadata {
  /** How many of the replicas in sync answer. */
  answering: number;
  /** Whether the leader answers. */
  isLed: boolean;
}

/**
 * The cluster as all brokers that answer describe it. A single broker may be behind: one that was frozen still believes that it leads
 * partitions that others lead by now, and reports its own end as the partition's. So the newest of all views counts, and only if enough
 * replicas answer for a write to be acknowledged: with fewer, the leader is unknown.
 */
export class KafkaClusterView {
  readonly #watch: BrokerWatch;
  readonly #client: MetadataClient;
  readonly #minInSync: (topic: string) => number;
  readonly #addresses: Set<string>;
  #problem: string | undefined;

  /** `minInSync`: min.insync.replicas of a topic. */
  constructor(settings: KafkaSettings, minInSync: (topic: string) => number) {
    const { watch } = settings;
    this.#watch = watch;
    this.#client = new MetadataClient(settings);
    this.#minInSync = minInSync;
    this.#addresses = new Set(watch.addresses);
  }

  /** The reason why the watched topics cannot accept all appends at present; undefined if they can. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Checks these topics repeatedly until the signal aborts. */
  async watchTopics(topics: readonly string[], signal: AbortSignal): Promise<void> {
    let suspected = false;
    while (!signal.aborted) {
      await sleep(suspected ? lookAgainMs : lookEveryMs, undefined, { signal, ref: false }).catch(() => {});
      if (signal.aborted) return;
      const found = await this.#findProblem(topics);
      // A leader that has just gone is replaced within seconds.
      this.#problem = found !== undefined && suspected ? found : undefined;
      suspected = found !== undefined;
    }
  }

  /**
   * Resolves if `leader`, a node id, is confirmed as the partition's leader. Throws a plain error otherwise: the end that this broker
   * reports cannot be trusted yet.
   */
  async confirmLeader(topic: string, partition: number, leader: number): Promise<void> {
    const view = (await this.#look([topic]))?.get(topic)?.find((each) => each.partition === partition);
    const place = `${topic}/${partition}`;
    if (view === undefined) throw new Error(`no broker describes ${place}`);
    if (view.leader !== leader) throw new Error(`another broker leads ${place} by now`);
    const trouble = this.#trouble(topic, view);
    if (trouble !== undefined) throw new Error(`${place} ${trouble}: its leader may be another one by now`);
  }

  close(): void {
    this.#client.close();
  }

  async #findProblem(topics: readonly string[]): Promise<string | undefined> {
    const found = await this.#look(topics);
    if (found === undefined) {
      const { fault } = this.#client;
      return fault === undefined ? 'Kafka does not answer' : `Kafka: ${fault}`;
    }
    const troubles = [...found].flatMap(([topic, views]) =>
      views.flatMap((view) => {
        const trouble = this.#trouble(topic, view);
        return trouble === undefined ? [] : [`${topic}/${view.partition} ${trouble}`];
      }),
    );
    if (troubles.length === 0) return undefined;
    const more = troubles.length === 1 ? '' : `, and ${troubles.length - 1} more`;
    return `Kafka takes no appends to some partitions: ${troubles[0]!}${more}`;
  }

  #trouble(topic: string, { replicas, answering, isLed }: PartitionView): string | undefined {
    if (!isLed) return 'has no leader that answers';
    const needed = Math.min(this.#minInSync(topic), replicas.length);
    return answering < needed ? `has ${answering} replicas in sync and needs ${needed}` : undefined;
  }

  /** By topic, of those that exist; undefined when no broker answers. */
  async #look(topics: readonly string[]): Promise<Map<string, PartitionView[]> | undefined> {
    for (const address of this.#watch.addresses) this.#addresses.add(address);
    const asked = [...this.#addresses];
    const answers = (
      await Promise.all(
        asked.map(async (address) => {
          const metadata = await this.#client.ask(address, topics);
          return metadata === undefined ? [] : [{ address, metadata }];
        }),
      )
    ).flat();
    if (answers.length === 0) return undefined;
    const nodes = new Map(answers.flatMap(({ metadata }) => [...metadata.brokers]));
    const unasked = [...nodes.values()].filter((address) => !this.#addresses.has(address));
    if (unasked.length > 0) {
      // It advertises another address than the configured one, or was never connected.
      for (const address of unasked) this.#addresses.add(address);
      return this.#look(topics);
    }
    const answered = new Set(answers.map(({ address }) => address));
    const isUp = (node: number): boolean => answered.has(nodes.get(node) ?? '');
    const found = new Map<string, PartitionView[]>();
    for (const topic of topics) {
      const newest = newestOf(
        answers.map(({ metadata }) => metadata),
        topic,
      );
      if (newest.length === 0) continue;
      found.set(
        topic,
        newest.map((partition) => ({
          ...partition,
          answering: partition.inSync.filter(isUp).length,
          isLed: isUp(partition.leader),
        })),
      );
    }
    return found;
  }
}

/** Each partition by the view with the highest epoch. */
function newestOf(all: readonly ClusterMetadata[], topic: string): PartitionMetadata[] {
  const newest = new Map<number, PartitionMetadata>();
  for (const { topics } of all)
    for (const { name, errorCode, partitions } of topics) {
      if (name !== topic || errorCode !== 0) continue;
      for (const view of partitions)
        if (view.leaderEpoch > (newest.get(view.partition)?.leaderEpoch ?? -Infinity))
          newest.set(view.partition, view);
    }
  return [...newest.values()].sort((a, b) => a.partition - b.partition);
}
