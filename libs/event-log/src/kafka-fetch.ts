import type { LogRecord } from './event-log.ts';
import { readFetchAnswer } from './kafka-fetch-answer.ts';
import { errorFromCode, fetchRequest, readCommitted, type Broker } from './kafka-internals.ts';
import { readBatches } from './kafka-record-batch.ts';

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
/** How long an answer may be under way, besides the time that the broker may wait. */
const transferMs = 15_000;

/** One fetch from the leader of these partitions; waits up to `waitMs` for the first byte. Throws kafkajs's errors. */
export async function fetchFrom(
  broker: Broker,
  positions: readonly FetchPosition[],
  waitMs: number,
  maxBytes = partitionBytes,
): Promise<Fetched[]> {
  const topics = Map.groupBy(shuffled(positions), ({ topic }) => topic);
  const request = fetchRequest({
    replicaId: -1,
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
  const decode = async (data: Buffer): Promise<{ clientSideThrottleTime: number; fetched: Fetched[] }> => {
    const { throttleMs, errorCode, partitions } = readFetchAnswer(data);
    for (const code of [errorCode, ...partitions.map((data) => data.errorCode)])
      if (code !== 0) throw errorFromCode(code);
    const fetched = partitions.map((data) => {
      const { topic, partition, lastStableOffset, aborted, batches } = data;
      const place = topics.get(topic)!.find((position) => position.partition === partition)!;
      return { topic, partition, ...readBatches(batches, place, aborted), end: lastStableOffset };
    });
    return { clientSideThrottleTime: throttleMs, fetched };
  };
  try {
    return (await broker.connectionPool.send({
      request,
      response: { decode, parse: async (answer) => (answer as { fetched: Fetched[] }).fetched },
      requestTimeout: waitMs + transferMs,
    })) as Fetched[];
  } catch (error) {
    // As kafkajs's own requests do: the next one connects anew.
    if ((error as Error).name === 'KafkaJSConnectionClosedError') await broker.disconnect();
    throw error;
  }
}

/** The broker fills an answer in the order asked (KIP-74): no partition is to be always the last. */
function shuffled(positions: readonly FetchPosition[]): FetchPosition[] {
  const start = Math.floor(Math.random() * positions.length);
  return [...positions.slice(start), ...positions.slice(0, start)];
}
