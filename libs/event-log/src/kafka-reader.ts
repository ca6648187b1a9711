import type { LogRecord } from './event-log.ts';
import type { KafkaConnection } from './kafka-connection.ts';
import { errorType } from './kafka-error.ts';
import { fetchFrom, partitionBytes, type Fetched } from './kafka-fetch.ts';
import type { Cluster } from './kafka-internals.ts';

/** Reads at any offset and lists offsets, without a consumer group. */
export class KafkaReader {
  readonly #connection: KafkaConnection;

  constructor(connection: KafkaConnection) {
    this.#connection = connection;
  }

  /** As EventLog.read: fewer than `maxRecords` only at the end of the partition. */
  async read(topic: string, partition: number, fromOffset: number, maxRecords: number): Promise<LogRecord[]> {
    const records: LogRecord[] = [];
    for (let next = fromOffset; ;) {
      const fetched = await this.#fetch(topic, partition, next, maxRecords - records.length);
      if (fetched === undefined) return records;
      for (const record of fetched.records) {
        if (records.length === maxRecords) return records;
        records.push(record);
      }
      next = fetched.nextOffset;
      if (next >= fetched.end || records.length === maxRecords) return records;
    }
  }

  async startOffsets(topic: string, partitions: number): Promise<number[]> {
    return this.#offsets(topic, partitions, { fromBeginning: true });
  }

  async endOffsets(topic: string, partitions: number): Promise<number[]> {
    return this.#offsets(topic, partitions, { fromBeginning: false });
  }

  async offsetsByTime(topic: string, partitions: number, timestampMs: number): Promise<number[]> {
    const found = await this.#offsets(topic, partitions, { fromTimestamp: timestampMs });
    if (!found.includes(-1)) return found;
    const ends = await this.endOffsets(topic, partitions);
    return found.map((offset, partition) => (offset === -1 ? ends[partition]! : offset));
  }

  /** Whether the partition was never so long, as when its topic was made anew. */
  async isBeyondEnd(topic: string, partition: number, offset: number): Promise<boolean> {
    return this.#connection.run(`cannot read ${topic}/${partition}`, topic, async (cluster) => {
      if (offset <= (await listOffset(cluster, topic, partition, false))) return false;
      // After a change of leader the end may be listed too low for a moment; a fetch is refused only beyond all that is stored.
      const broker = await leaderOf(cluster, topic, partition);
      try {
        await fetchFrom(broker, [{ topic, partition, offset }], 0, 1);
        return false;
      } catch (error) {
        if (errorType(error) !== 'OFFSET_OUT_OF_RANGE') throw error;
        return offset > (await listOffset(cluster, topic, partition, false));
      }
    });
  }

  /** Undefined beyond the end. */
  async #fetch(
    topic: string,
    partition: number,
    offset: number,
    wanted: number,
  ): Promise<Fetched | undefined> {
    // Who wants a few records gets a small piece; the broker gives at least one whole batch.
    const bytes = Math.min(partitionBytes, Math.max(32_768, wanted * 2_048));
    return this.#connection.run(`cannot read ${topic}/${partition}`, topic, async (cluster) => {
      let from = offset;
      for (;;) {
        try {
          const broker = await leaderOf(cluster, topic, partition);
          const [fetched] = await fetchFrom(broker, [{ topic, partition, offset: from }], 0, bytes);
          return fetched;
        } catch (error) {
          if (errorType(error) !== 'OFFSET_OUT_OF_RANGE') throw error;
          const start = await listOffset(cluster, topic, partition, true);
          if (from >= start) return undefined;
          from = start;
        }
      }
    });
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

/** The first offset of a partition, or the one behind its last record that readers can see. */
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
