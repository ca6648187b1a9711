import type { LogRecord } from '../event-log.ts';
import { readFetchAnswer } from './fetch-answer.ts';
import { fetchRequest, type FetchPosition } from './fetch-request.ts';
import { errorFromCode, type Broker } from './internals.ts';
import { readBatches } from './record-batch.ts';

export interface Fetched {
  topic: string;
  partition: number;
  records: LogRecord[];
  /** Where to continue; beyond the last record if transaction markers follow it. */
  nextOffset: number;
  /** Of what was read, as it is packed. */
  packedBytes: number;
  /** The offset up to which readers can see, at the time of the answer. */
  end: number;
  /**
   * Why there are no records. out-of-range: the log begins after the offset, or ends before it. unknown-topic: the broker knows no topic
   * with this id: it was deleted, or is so new that the broker does not know it yet.
   */
  refused?: 'out-of-range' | 'unknown-topic';
}

const refusals: ReadonlyMap<number, Fetched['refused']> = new Map([
  [1, 'out-of-range'],
  [3, 'unknown-topic'],
  [100, 'unknown-topic'],
  [103, 'unknown-topic'],
]);

/** A whole answer is held in memory, and one piece per partition. */
export const partitionBytes = 1 << 20;
const answerBytes = 16 << 20;
/** How long an answer may take, beyond the time that the broker may wait, ms. */
const transferMs = 15_000;

export interface FetchSize {
  /** Of a partition, as they are packed; the broker sends at least one batch. */
  maxBytes?: number;
  /** Of a partition: what is beyond them is not unpacked. */
  maxRecords?: number;
}

/** One fetch from the leader of these partitions; waits up to `waitMs` for the first byte. Throws kafkajs's other errors. */
export async function fetchFrom(
  broker: Broker,
  positions: readonly FetchPosition[],
  waitMs: number,
  { maxBytes = partitionBytes, maxRecords = Infinity }: FetchSize = {},
): Promise<Fetched[]> {
  const request = fetchRequest(shuffled(positions), { waitMs, answerBytes, partitionBytes: maxBytes });
  const decode = async (data: Buffer): Promise<{ clientSideThrottleTime: number; fetched: Fetched[] }> => {
    const { throttleMs, errorCode, partitions } = readFetchAnswer(data);
    if (refusals.has(errorCode))
      return { clientSideThrottleTime: throttleMs, fetched: positions.map((p) => refusedBy(errorCode, p)) };
    for (const code of [errorCode, ...partitions.map((answer) => answer.errorCode)])
      if (code !== 0 && !refusals.has(code)) throw errorFromCode(code);
    const fetched = partitions.map((answer) => {
      const { topicId, partition, lastStableOffset, aborted, batches } = answer;
      const place = positions.find((p) => p.partition === partition && p.topicId === topicId)!;
      if (answer.errorCode !== 0) return refusedBy(answer.errorCode, place);
      const { topic } = place;
      return { topic, partition, ...readBatches(batches, place, aborted, maxRecords), end: lastStableOffset };
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
    // As kafkajs's own requests do: the next one reconnects.
    if ((error as Error).name === 'KafkaJSConnectionClosedError') await broker.disconnect();
    throw error;
  }
}

function refusedBy(code: number, { topic, partition, offset }: FetchPosition): Fetched {
  return {
    topic,
    partition,
    records: [],
    nextOffset: offset,
    packedBytes: 0,
    end: offset,
    refused: refusals.get(code)!,
  };
}

/** The broker fills an answer in the order asked (KIP-74): no partition should always be the last. */
function shuffled(positions: readonly FetchPosition[]): FetchPosition[] {
  const start = Math.floor(Math.random() * positions.length);
  return [...positions.slice(start), ...positions.slice(0, start)];
}
