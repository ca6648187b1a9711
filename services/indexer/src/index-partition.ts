import type { Assignment, EventLog, LogRecord, PartitionHandler } from '@logloom/event-log';
import type { Decoded, Serde } from '@logloom/schema-registry';
import { placeEvent, topics, type Correlation, type PlacedEvent } from '@logloom/schemas';
import { batchAttributes, type Tracing } from '@logloom/telemetry';
import { DocumentOrder } from './document-order.ts';
import type { ErrorCode } from './errors.ts';
import type { IndexBatches } from './index-batches.ts';
import { spans, type IndexerMetrics } from './telemetry.ts';

/** A commit costs a disk write and only shortens a restart. */
const commitIntervalMs = 500;

export interface IndexPartitionDeps {
  log: EventLog;
  serde: Serde;
  batches: IndexBatches;
  metrics: IndexerMetrics;
  tracing: Tracing;
  /** A store was deleted: begin at the start of the log, whatever was committed. What the other store has, it knows by its id. */
  rebuild: boolean;
  /** The machine's clock in ms. */
  now: () => number;
}

/**
 * Indexes one partition of logs.events or logs.correlations. Offsets are committed only after both stores have acknowledged what
 * lies before them; after a crash some of it is given to the stores again, which know it by its id.
 */
export async function indexPartition(
  deps: IndexPartitionDeps,
  assignment: Assignment,
): Promise<PartitionHandler> {
  const { batches, metrics, tracing, now, rebuild } = deps;
  const { topic, partition, committed } = assignment;
  const order = DocumentOrder.parse(rebuild ? undefined : committed?.metadata);
  let next = rebuild ? 0 : (committed?.offset ?? 0);
  let committedOffset = next;
  let committedAt = now();
  // Whoever has the partition next, in this process or another, goes on with the rebuild.
  if (rebuild && committed !== null && committed.offset > 0) await assignment.commit(0);
  const span = spans.process(topic);

  const commit = async (): Promise<void> => {
    committedAt = now();
    if (next === committedOffset) return;
    await assignment.commit(next, order.toMetadata());
    committedOffset = next;
    metrics.committed.set({ topic, partition: String(partition) }, next);
  };
  const commitWhenDue = async (): Promise<void> => {
    if (now() - committedAt >= commitIntervalMs) await commit();
  };

  return {
    startOffset: next,
    process: (records) =>
      tracing.batch(span, records, async (active) => {
        active.set(batchAttributes(records));
        const events: PlacedEvent[] = [];
        const documents: Correlation[] = [];
        const all = await decodeAll(deps, records);
        for (const { record, decoded } of all) {
          if (decoded.name === 'LogEvent') events.push(placeEvent(decoded.value, partition, record.offset));
          else if (decoded.name === 'Correlation') {
            if (order.admit(decoded.value)) documents.push(decoded.value);
            else metrics.staleDocuments.inc();
          }
        }
        if (events.length > 0 || documents.length > 0) {
          const refused = await batches.add(events, documents);
          const letters = refused.map(({ item, reason }) => ({
            record: all.find(({ decoded }) => decoded.value === item)!.record,
            reason,
          }));
          await keepAsDeadLetters(deps, 'refused-by-store', letters);
        }
        next = records.at(-1)!.offset + 1;
        await commitWhenDue();
      }),
    idle: commitWhenDue,
    close: commit,
  };
}

interface DecodedRecord {
  record: LogRecord;
  decoded: Decoded;
}

/** Decodes what can be decoded; the rest is in logs.dead-letter, durably, when this resolves. */
async function decodeAll(deps: IndexPartitionDeps, records: readonly LogRecord[]): Promise<DecodedRecord[]> {
  const { serde } = deps;
  await serde.load(records.map((record) => record.value));
  const result: DecodedRecord[] = [];
  const refused: { record: LogRecord; reason: string }[] = [];
  for (const record of records) {
    try {
      result.push({ record, decoded: serde.decode(record.value) });
    } catch (error) {
      refused.push({ record, reason: (error as Error).message });
    }
  }
  await keepAsDeadLetters(deps, 'undecodable-record', refused);
  return result;
}

async function keepAsDeadLetters(
  { log, serde, metrics }: IndexPartitionDeps,
  code: ErrorCode,
  refused: readonly { record: LogRecord; reason: string }[],
): Promise<void> {
  if (refused.length === 0) return;
  await log.append(
    topics.deadLetter,
    refused.map(({ record, reason }) => ({
      partition: record.partition,
      key: record.key,
      value: serde.encode('DeadLetter', {
        code,
        message: reason,
        source: {
          kind: 'kafka',
          topic: record.topic,
          partition: record.partition,
          offset: record.offset,
          index: 0,
        },
        receivedAt: record.timestamp,
        payload: record.value,
      }),
    })),
  );
  metrics.deadLetters.inc(refused.length);
}
