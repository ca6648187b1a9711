import {
  EventLogError,
  warmUp,
  type Assignment,
  type DuplicateWindow,
  type EventLog,
  type LogRecord,
  type PartitionHandler,
} from '@logloom/event-log';
import type { GapReport } from '@logloom/runtime';
import type { Decoded, Serde } from '@logloom/schema-registry';
import {
  isCanaryDocument,
  isCanaryEvent,
  isOfEpoch,
  placeCorrelation,
  placeEvent,
  topics,
  type Correlation,
  type PlacedEvent,
} from '@logloom/schemas';
import { batchAttributes, type EventAges, type Tracing } from '@logloom/telemetry';
import type { CanaryView } from '../canary/canary-view.ts';
import type { ErrorCode } from '../errors.ts';
import { spans, type IndexerMetrics } from '../telemetry.ts';
import { DocumentOrder } from './document-order.ts';
import type { FillMarks } from './fill-marks.ts';
import type { BatchScope, IndexBatches } from './index-batches.ts';

/** A commit costs a disk write and only shortens a restart. */
const commitIntervalMs = 500;

export interface IndexPartitionDeps {
  log: EventLog;
  serde: Serde;
  batches: IndexBatches;
  metrics: IndexerMetrics;
  ages: Pick<EventAges, 'addRecords'>;
  tracing: Tracing;
  marks: FillMarks;
  gaps: GapReport;
  /** Takes the items of the canary; undefined: there is none. */
  canary?: Pick<CanaryView, 'write'> | undefined;
  /** The machine's clock in ms. */
  nowMs: () => number;
}

/**
 * Indexes one partition of logs.events or logs.correlations. Offsets are committed only after both stores have acknowledged everything
 * before them; after a crash the stores get some of it again and recognize it by its id. Duplicates are dropped by the same window as in
 * every other view.
 */
export async function indexPartition(
  deps: IndexPartitionDeps,
  assignment: Assignment,
): Promise<PartitionHandler> {
  const { log, serde, batches, marks, metrics, tracing, nowMs } = deps;
  // The epoch in ids; if logs.events is recreated, this partition is opened again.
  const epoch = await log.epochOf(topics.events);
  const { topic, partition, committed } = assignment;
  const committedAtStart = committed?.offset ?? 0;
  const start = await marks.open(topic, partition, committedAtStart);
  const isRefill = start.offset < committedAtStart;
  const order = isRefill
    ? await orderBefore(deps, topic, partition, start.offset)
    : DocumentOrder.parse(epoch, committed?.metadata);
  let next = start.offset;
  // Warmed up by the first batch: if there is nothing to read, nothing is read back.
  let window: DuplicateWindow | undefined;
  let committedOffset = next;
  let committedAtMs = nowMs();
  // The next owner of the partition, in this process or another, continues filling.
  if (isRefill) await assignment.commit(next);
  const floors = [...start.floors].map(([name, offset]) => ({ name, offset }));
  /** Views have marks up to here for other records: the log lost its end there, and has not reached this offset again. */
  let voidTo = readVoid(committed?.metadata);
  let lastFloor =
    committedAtStart < voidTo ? committedAtStart : Math.max(next, committedAtStart, ...start.floors.values());
  const span = spans.process(topic);

  const metadata = (): string => order.toMetadata() + (next < voidTo ? ` void=${voidTo}` : '');
  const commit = async (): Promise<void> => {
    committedAtMs = nowMs();
    if (next === committedOffset) return;
    if (!(await marks.advance(topic, partition, committedOffset, next))) return;
    await assignment.commit(next, metadata());
    committedOffset = next;
    metrics.committed.set({ topic, partition: String(partition) }, next);
  };
  const commitWhenDue = async (): Promise<void> => {
    if (nowMs() - committedAtMs >= commitIntervalMs) await commit();
  };

  const write = async (records: readonly LogRecord[], scope: BatchScope | undefined): Promise<void> => {
    const events: PlacedEvent[] = [];
    const documents: Correlation[] = [];
    const canary: { events: PlacedEvent[]; documents: Correlation[] } = { events: [], documents: [] };
    const all = await decodeAll(deps, records, scope === undefined);
    for (const { record, decoded } of all) {
      if (decoded.name === 'LogEvent') {
        window ??= await warmUp({ log, topic, partition }, next, (read) =>
          serde.sources(read.map(({ value }) => value)),
        );
        const owner = isCanaryEvent(decoded.value) ? canary.events : events;
        if (window.admit(decoded.value.source, record.offset))
          owner.push(placeEvent(decoded.value, epoch, partition, record.offset));
        else metrics.duplicates.inc();
      } else if (decoded.name === 'Correlation') {
        const isOurs = isOfEpoch(record, epoch);
        // This instance may be the late one: opening the partition again will show.
        if (!isOurs && (await log.epochOf(topics.events)) !== epoch) throw logMadeAnew();
        const owner = isCanaryDocument(decoded.value) ? canary.documents : documents;
        if (isOurs && order.admit(decoded.value)) owner.push(placeCorrelation(decoded.value, epoch));
        else metrics.staleDocuments.inc();
      }
    }
    const hasCanary = canary.events.length > 0 || canary.documents.length > 0;
    if (events.length === 0 && documents.length === 0 && !hasCanary) return;
    // Without items of users it waits all the same until it is their turn: the canary is to be as late as they would be.
    const refused = await batches.add(events, documents, scope);
    if (hasCanary) await deps.canary?.write(canary.events, canary.documents);
    const deadLetters = refused.map(({ item, reason }) => ({
      record: all.find(({ decoded }) => decoded.value === item)!.record,
      reason,
    }));
    await keepAsDeadLetters(deps, 'refused-by-store', deadLetters);
  };

  return {
    startOffset: next,
    process: (records) =>
      tracing.batch(span, records, async (active) => {
        active.set(batchAttributes(records));
        // Records that are filled again go only to the view that lost them.
        for (const part of splitAt(records, floors, lastFloor)) await write(part.records, part.scope);
        // What is filled again was searchable once.
        if (topic === topics.events && records[0]!.offset >= lastFloor) deps.ages.addRecords(records);
        next = records.at(-1)!.offset + 1;
        await commitWhenDue();
      }),
    gap: async (gap) => {
      deps.gaps('indexer', gap, 'search and archive lack the records that they had not received before');
      next = gap.reason === 'lost-end' ? gap.from : gap.to;
      if (gap.reason !== 'lost-end') return;
      // Offsets from there on belong to other records than those in the views.
      lastFloor = Math.min(lastFloor, gap.from);
      voidTo = Math.max(voidTo, gap.to);
      window = undefined;
      await assignment.commit(next, metadata());
      committedOffset = next;
    },
    idle: commitWhenDue,
    close: async () => {
      await commit();
      // The next owner of the partition reports its position.
      metrics.committed.remove({ topic, partition: String(partition) });
    },
  };
}

/** The offset up to which marks are void, from a commit's metadata. */
function readVoid(metadata = ''): number {
  return Number(/ void=(\d+)$/.exec(metadata)?.[1] ?? 0);
}

function logMadeAnew(): EventLogError {
  return new EventLogError(
    'topic-recreated',
    `${topics.events} was recreated: documents are of another epoch`,
  );
}

/** Instances overlap only for moments: a document of one that was behind is among the last ones or nowhere. */
const orderRecords = 10_000;

/** The order of the documents before an offset, as a reader from the start would have it. */
async function orderBefore(
  { log, serde }: IndexPartitionDeps,
  topic: string,
  partition: number,
  offset: number,
): Promise<DocumentOrder> {
  const epoch = await log.epochOf(topics.events);
  const order = new DocumentOrder(epoch);
  if (topic !== topics.correlations) return order;
  for (let next = Math.max(0, offset - orderRecords); next < offset;) {
    const records = await log.read(topic, partition, next, Math.min(1000, offset - next));
    if (records.length === 0 || records[0]!.offset >= offset) break;
    await serde.load(records.map(({ value }) => value));
    for (const record of records) {
      const decoded = tryDecode(serde, record.value);
      if (decoded?.name === 'Correlation' && isOfEpoch(record, epoch)) order.admit(decoded.value);
    }
    next = records.at(-1)!.offset + 1;
  }
  return order;
}

function tryDecode(serde: Serde, value: Buffer): Decoded | undefined {
  try {
    return serde.decode(value);
  } catch {
    return undefined;
  }
}

interface Part {
  records: readonly LogRecord[];
  scope: BatchScope | undefined;
}

/** Splits the records before `lastFloor` into parts, each for the views whose floor is not after it. The rest is for all views. */
function splitAt(
  records: readonly LogRecord[],
  floors: readonly { name: string; offset: number }[],
  lastFloor: number,
): Part[] {
  if (records[0]!.offset >= lastFloor) return [{ records, scope: undefined }];
  const borders = [...new Set([...floors.map(({ offset }) => offset), lastFloor])].sort((a, b) => a - b);
  const parts: Part[] = [];
  for (let start = 0; start < records.length;) {
    const { offset } = records[start]!;
    const border = borders.find((b) => b > offset) ?? Infinity;
    let end = start + 1;
    while (end < records.length && records[end]!.offset < border) end++;
    const targets = new Set(floors.filter((floor) => floor.offset <= offset).map(({ name }) => name));
    const scope = offset >= lastFloor ? undefined : { targets };
    parts.push({ records: records.slice(start, end), scope });
    start = end;
  }
  return parts;
}

interface DecodedRecord {
  record: LogRecord;
  decoded: Decoded;
}

/**
 * Decodes the records. Those that cannot be decoded are durable in logs.dead-letter when this resolves, unless they were handled before.
 */
async function decodeAll(
  deps: IndexPartitionDeps,
  records: readonly LogRecord[],
  isFirstTime: boolean,
): Promise<DecodedRecord[]> {
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
  if (isFirstTime) await keepAsDeadLetters(deps, 'undecodable-record', refused);
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
        receivedAt: record.timestampMs,
        payload: record.value,
        key: null,
        address: null,
      }),
    })),
  );
  metrics.deadLetters.inc({ reason: code }, refused.length);
}
