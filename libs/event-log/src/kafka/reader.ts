import { maxReadBytes, type Commit, type LogGap, type LogRecord } from '../event-log.ts';
import type { KafkaClusterView } from './cluster-view.ts';
import type { KafkaConnection } from './connection.ts';
import type { FetchPosition } from './fetch-request.ts';
import { fetchFrom, partitionBytes, type Fetched } from './fetch.ts';
import type { Cluster } from './internals.ts';
import type { KnownEnds } from './known-ends.ts';
import { topicRecreated, type KafkaTopicEpochs } from './topic-epochs.ts';

export interface ReaderDeps {
  connection: KafkaConnection;
  epochs: KafkaTopicEpochs;
  view: KafkaClusterView;
  ends: KnownEnds;
}

/** The least that a fetch asks for, and what a record is taken to need before the first fetch. */
const smallestPieceBytes = 32_768;
const unknownRecordBytes = 2_048;

/** Reads at any offset and lists offsets, without a consumer group. */
export class KafkaReader {
  readonly #connection: KafkaConnection;
  readonly #epochs: KafkaTopicEpochs;
  readonly #view: KafkaClusterView;
  readonly #ends: KnownEnds;
  /** By topic, what a record takes packed, as the last fetch had them: a fetch asks for little more than it is to return. */
  readonly #recordBytes = new Map<string, number>();

  constructor({ connection, epochs, view, ends }: ReaderDeps) {
    this.#connection = connection;
    this.#epochs = epochs;
    this.#view = view;
    this.#ends = ends;
  }

  /** As EventLog.read. */
  async read(
    topic: string,
    partition: number,
    fromOffset: number,
    maxRecords: number,
    onGap: (gap: LogGap) => void = () => {},
  ): Promise<LogRecord[]> {
    const topicId = await this.#epochs.idOf(topic);
    const records: LogRecord[] = [];
    let bytes = 0;
    for (let next = fromOffset; ;) {
      const fetched = await this.#fetch(
        { topic, topicId, partition, offset: next },
        maxRecords - records.length,
        onGap,
      );
      if (fetched === undefined) return records;
      for (const record of fetched.records) {
        if (records.length === maxRecords || bytes >= maxReadBytes) return records;
        records.push(record);
        bytes += record.value.length;
      }
      next = fetched.nextOffset;
      if (next >= fetched.end || records.length === maxRecords || bytes >= maxReadBytes) return records;
    }
  }

  async startOffsets(topic: string, partitions: number): Promise<number[]> {
    return this.#offsets(topic, partitions, { fromBeginning: true });
  }

  async endOffsets(topic: string, partitions: number): Promise<number[]> {
    const ends = await this.#offsets(topic, partitions, { fromBeginning: false });
    return Promise.all(ends.map((end, partition) => this.#believed(topic, partition, end)));
  }

  async offsetsByTime(topic: string, partitions: number, timestampMs: number): Promise<number[]> {
    const found = await this.#offsets(topic, partitions, { fromTimestamp: timestampMs });
    if (!found.includes(-1)) return found;
    const ends = await this.endOffsets(topic, partitions);
    return found.map((offset, partition) => (offset === -1 ? ends[partition]! : offset));
  }

  /** The commits of a group, per partition; null where it never committed. */
  async committed(group: string, topic: string, count: number): Promise<(Commit | null)[]> {
    const partitions = Array.from({ length: count }, (_, partition) => ({ partition }));
    const { responses } = await this.#connection.run(
      `cannot read the commits of ${group}`,
      topic,
      async (cluster) => {
        const coordinator = await cluster.findGroupCoordinator({ groupId: group });
        return coordinator.offsetFetch({ groupId: group, topics: [{ topic, partitions }] });
      },
    );
    const found = responses.find((response) => response.topic === topic)?.partitions ?? [];
    return partitions.map(({ partition }) => {
      const commit = found.find((each) => each.partition === partition);
      return commit === undefined || Number(commit.offset) < 0
        ? null
        : { offset: Number(commit.offset), metadata: commit.metadata ?? '' };
    });
  }

  /** The first offset of a partition. */
  async startOffset(topic: string, partition: number): Promise<number> {
    return this.#connection.run(`cannot list the offsets of ${topic}`, topic, (cluster) =>
      listOffset(cluster, topic, partition, true),
    );
  }

  /** Whether the partition was never this long, as when its topic was recreated. */
  async isBeyondEnd(topic: string, partition: number, offset: number): Promise<boolean> {
    return this.#connection.run(`cannot read ${topic}/${partition}`, topic, async (cluster) => {
      if (offset <= (await listOffset(cluster, topic, partition, false))) return false;
      // After a change of leader the end may be listed too low for a moment; a fetch is refused only beyond all that is stored.
      const broker = await leaderOf(cluster, topic, partition);
      const topicId = await this.#epochs.idOf(topic);
      const [fetched] = await fetchFrom(broker, [{ topic, topicId, partition, offset }], 0, { maxBytes: 1 });
      if (fetched?.refused !== 'out-of-range') return false;
      await this.#view.confirmLeader(topic, partition, broker.nodeId);
      return offset > (await listOffset(cluster, topic, partition, false));
    });
  }

  /** Undefined beyond the end. Throws EventLogError `topic-recreated`. */
  async #fetch(
    position: FetchPosition,
    wanted: number,
    onGap: (gap: LogGap) => void,
  ): Promise<Fetched | undefined> {
    const { topic, partition, topicId, offset } = position;
    // The broker sends at least one whole batch.
    const recordBytes = this.#recordBytes.get(topic) ?? unknownRecordBytes;
    const maxBytes = Math.min(partitionBytes, Math.max(smallestPieceBytes, wanted * recordBytes));
    const size = { maxBytes, maxRecords: wanted };
    let from = offset;
    const found = await this.#connection.run(`cannot read ${topic}/${partition}`, topic, async (cluster) => {
      for (;;) {
        const broker = await leaderOf(cluster, topic, partition);
        const [fetched] = await fetchFrom(broker, [{ ...position, offset: from }], 0, size);
        if (fetched?.refused === undefined) {
          if (fetched !== undefined && fetched.end < (this.#ends.of(topic, partition) ?? 0)) {
            // A leader that is behind returns fewer records without saying so.
            await this.#confirmEnd(cluster, topic, partition);
            continue;
          }
          if (fetched !== undefined) {
            this.#ends.see(topic, partition, fetched.end);
            const { records, packedBytes } = fetched;
            if (records.length > 0) this.#recordBytes.set(topic, packedBytes / records.length);
          }
          return fetched;
        }
        if (fetched.refused === 'unknown-topic') {
          if ((await this.#epochs.refresh(topic)) !== topicId) throw topicRecreated(topic);
          throw new Error(`the leader of ${topic}/${partition} does not know the topic yet`);
        }
        const start = await listOffset(cluster, topic, partition, true);
        if (from < start) {
          from = start;
          continue;
        }
        if (from >= (this.#ends.of(topic, partition) ?? Infinity)) return undefined;
        await this.#confirmEnd(cluster, topic, partition);
        if (from >= this.#ends.of(topic, partition)!) return undefined;
      }
    });
    if (from > offset) onGap({ topic, partition, from: offset, to: from, reason: 'trimmed' });
    return found;
  }

  /** The end as listed; if that is below the known end, as a confirmed leader lists it. */
  async #believed(topic: string, partition: number, listed: number): Promise<number> {
    if (listed >= (this.#ends.of(topic, partition) ?? Infinity)) {
      this.#ends.see(topic, partition, listed);
      return listed;
    }
    return this.#connection.run(`cannot list the offsets of ${topic}`, topic, (cluster) =>
      this.#confirmEnd(cluster, topic, partition),
    );
  }

  async #confirmEnd(cluster: Cluster, topic: string, partition: number): Promise<number> {
    const end = await confirmedEnd(this.#view, cluster, topic, partition);
    this.#ends.confirm(topic, partition, end);
    return end;
  }

  async #offsets(
    topic: string,
    count: number,
    which: { fromBeginning: boolean } | { fromTimestamp: number },
  ): Promise<number[]> {
    return this.#connection.run(`cannot list the offsets of ${topic}`, topic, async (cluster) => {
      const partitions = Array.from({ length: count }, (_, partition) => ({ partition }));
      const [found] = await cluster.fetchTopicsOffset([{ topic, partitions, ...which }]);
      return partitions.map(({ partition }) => {
        const offset = found?.partitions.find((p) => p.partition === partition)?.offset;
        if (offset === undefined) throw new Error(`no leader is known for ${topic}/${partition}`);
        return Number(offset);
      });
    });
  }
}

/** The end of a partition as a confirmed leader lists it. Throws if no leader can be confirmed, as while too few replicas answer. */
export async function confirmedEnd(
  view: KafkaClusterView,
  cluster: Cluster,
  topic: string,
  partition: number,
): Promise<number> {
  await cluster.refreshMetadata();
  await view.confirmLeader(topic, partition, leaderId(cluster, topic, partition));
  return listOffset(cluster, topic, partition, false);
}

/** The first offset of a partition, or the one after its last record that readers can see. */
export async function listOffset(
  cluster: Cluster,
  topic: string,
  partition: number,
  fromBeginning: boolean,
): Promise<number> {
  const [found] = await cluster.fetchTopicsOffset([{ topic, partitions: [{ partition }], fromBeginning }]);
  const offset = found?.partitions[0]?.offset;
  if (offset === undefined) throw new Error(`no leader is known for ${topic}/${partition}`);
  return Number(offset);
}

export async function leaderOf(
  cluster: Cluster,
  topic: string,
  partition: number,
): ReturnType<Cluster['findBroker']> {
  return cluster.findBroker({ nodeId: String(leaderId(cluster, topic, partition)) });
}

/** The node id of a partition's leader; -1 while it has none or none is known. */
export function leaderId(cluster: Cluster, topic: string, partition: number): number {
  const metadata = cluster.findTopicPartitionMetadata(topic).find((p) => p.partitionId === partition);
  return metadata?.leader ?? -1;
}
