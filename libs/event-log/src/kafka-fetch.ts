import type { LogRecord } from './event-log.ts';
import {
  BatchClass,
  readCommitted,
  type Broker,
  type FetchedPartition,
  type RawMessage,
} from './kafka-internals.ts';

/** A place in a partition from which to fetch. */
export interface FetchPosition {
  topic: string;
  partition: number;
  offset: number;
}

export interface Fetched {
  topic: string;
  partition: number;
  records: LogRecord[];
  /** Where to go on; beyond the last record where the log holds a transaction's markers. */
  nextOffset: number;
  /** The offset up to which readers can see, at the time of the answer. */
  end: number;
}

/** A whole answer is held in memory, and so is one per partition. */
export const partitionBytes = 1 << 20;
const answerBytes = 16 << 20;

/** One fetch from the leader of these partitions; waits up to `waitMs` for the first byte. Throws kafkajs's errors. */
export async function fetchFrom(
  broker: Broker,
  positions: readonly FetchPosition[],
  waitMs: number,
  maxBytes = partitionBytes,
): Promise<Fetched[]> {
  const topics = Map.groupBy(positions, ({ topic }) => topic);
  const { responses } = await broker.fetch({
    isolationLevel: readCommitted,
    maxWaitTime: waitMs,
    minBytes: waitMs === 0 ? 0 : 1,
    maxBytes: answerBytes,
    topics: [...topics].map(([topic, places]) => ({
      topic,
      partitions: places.map(({ partition, offset }) => ({
        partition,
        fetchOffset: String(offset),
        maxBytes,
      })),
    })),
  });
  return responses.flatMap(({ topicName, partitions }) =>
    partitions.map((data) => {
      const place = topics.get(topicName)!.find(({ partition }) => partition === data.partition)!;
      return fetched(place, data);
    }),
  );
}

function fetched({ topic, partition, offset }: FetchPosition, data: FetchedPartition): Fetched {
  const batch = new BatchClass(topic, String(offset), data);
  return {
    topic,
    partition,
    records: batch.messages.map((message) => toRecord(topic, partition, message)),
    nextOffset: batch.rawMessages.length === 0 ? offset : Number(batch.lastOffset()) + 1,
    end: Number(data.lastStableOffset ?? data.highWatermark),
  };
}

const noBytes = Buffer.alloc(0);
const noHeaders: Readonly<Record<string, string>> = Object.freeze({});

/** Other clients may write null values and several headers of one name: the last one counts. */
function toRecord(topic: string, partition: number, message: RawMessage): LogRecord {
  const headers = Object.entries(message.headers);
  return {
    topic,
    partition,
    offset: Number(message.offset),
    timestamp: Number(message.timestamp),
    key: message.key?.toString() ?? null,
    value: message.value ?? noBytes,
    headers:
      headers.length === 0
        ? noHeaders
        : Object.fromEntries(
            headers.map(([name, value]) => [
              name,
              (Array.isArray(value) ? value.at(-1) : value)?.toString() ?? '',
            ]),
          ),
  };
}
