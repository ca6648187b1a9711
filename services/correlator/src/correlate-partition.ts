import {
  warmUp,
  type Assignment,
  type DuplicateWindow,
  type EventLog,
  type LogGap,
  type LogRecord,
  type PartitionHandler,
} from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import type { GapReport } from '@logloom/runtime';
import { isBackfill, memberOffsets, topics, type Alert } from '@logloom/schemas';
import { batchAttributes, type EventAges, type Logger, type Tracing } from '@logloom/telemetry';
import { Correlate, type CorrelateOptions, type InputRecord } from './correlate.ts';
import { CauseOrder } from './join/cause-order.ts';
import type { JoinEffect } from './join/join-effects.ts';
import { joinInput, loadForwarded } from './join/join-input.ts';
import { JoinWriter } from './join/join-writer.ts';
import { AlertWriter } from './output/alert-writer.ts';
import { OutgoingDocuments, type Outgoing } from './output/outgoing.ts';
import { TraceMemory } from './output/trace-memory.ts';
import { lastClose, lostBefore, readWritten, WrittenFeed } from './recovery/read-written.ts';
import { effectsEnd, parseMetadata, RestartPoint, type SetBy } from './recovery/restart-point.ts';
import { endAfter, lastMember, WrittenDocuments, type WrittenEnd } from './recovery/written-documents.ts';
import { firstOptions } from './rules/options-in-log.ts';
import { inForceFrom, readInForce, RulesWriter, type Wanted } from './rules/rules-in-log.ts';
import { spans, type CorrelatorMetrics } from './telemetry.ts';
import { tryDecode } from './try-decode.ts';

export const consumerGroup = 'correlator';

/** A commit costs a disk write and only shortens a restart. */
const commitIntervalMs = 500;
/** The size of an append to the output; one record may close all sessions. */
const documentsPerAppend = 5000;
/** Ids that joined too many requests are named once; this many are remembered. */
const maxLimitedIds = 1000;
/** How often (ms) a shortage of memory is logged. */
const warnIntervalMs = 60_000;

export interface CorrelatorDeps {
  log: EventLog;
  serde: Serde;
  /** The rules and options that should be in force; the log says which ones are. */
  wanted: Wanted;
  metrics: CorrelatorMetrics;
  ages: Pick<EventAges, 'addRecords'>;
  tracing: Tracing;
  logger: Pick<Logger, 'error' | 'warn'>;
  gaps: GapReport;
  /** How many requests an id may join, and how many ids may join a request at once. */
  joinLimit: number;
  /** How often (ms) the rules and options in force are written again. */
  rulesRefreshMs: number;
  /** The machine's clock in ms; it decides when to check, never what to write. */
  nowMs: () => number;
}

/**
 * Correlates one partition: reads logs.events from the restart point, writes logs.correlations and logs.alerts, and only then commits.
 * After a crash at any point, input is read again and the output shows how much of it is done; nothing is lost and nothing is written
 * twice.
 */
export async function correlatePartition(
  deps: CorrelatorDeps,
  assignment: Assignment,
): Promise<PartitionHandler> {
  const { log, serde, wanted, metrics, ages, tracing, logger, nowMs } = deps;
  const { partition, committed } = assignment;
  const epoch = await log.epochOf(topics.events);
  const outputEpoch = await log.epochOf(topics.correlations);
  // The output has lost documents if it was recreated since the commit, ends earlier, or has gaps: the missing documents are made again
  // from the start of the log. They close after the existing ones, so that readers accept them.
  const outputEnd = (await log.endOffsets(topics.correlations))[partition]!;
  const last = parseMetadata(committed);
  const isAnother = last.output > outputEnd || (last.outputEpoch ?? outputEpoch) !== outputEpoch;
  const gap = isAnother ? undefined : await lostBefore({ log, partition }, last.output);
  if (gap !== undefined) deps.gaps(consumerGroup, gap, 'lost documents are made again');
  const isRebuild = isAnother || gap !== undefined;
  const metadata = parseMetadata(isRebuild ? null : committed);
  // The message is about documents that the output still holds.
  if (gap !== undefined && last.lost !== undefined) metadata.lost = last.lost;
  const { output } = metadata;
  const logStart = (await log.startOffsets(topics.events))[partition]!;
  const startOffset = isRebuild ? logStart : (committed?.offset ?? logStart);
  if ((isRebuild || committed === null) && logStart > 0)
    logger.warn(
      { partition, offset: logStart },
      'the log begins here: earlier events are in no new document',
    );
  const eventsEnd = (await log.endOffsets(topics.events))[partition]!;
  // What a rebuild of the output reads again has had its effects on the input.
  const effectsFrom = Math.min(effectsEnd(last), eventsEnd);
  const restart = new RestartPoint(startOffset, output, { ...metadata, effects: effectsFrom }, outputEpoch);
  if (isRebuild) await assignment.commit(restart.start.offset, restart.start.metadata);
  let writtenEnd: WrittenEnd | undefined;
  /** Events in documents that left the log before they were read again. */
  const gone = new Set<number>();
  /** The first offsets of documents that are written after a lost one. */
  const starts = new Set<number>();
  let isLost = false;
  // When reading from the start, records that retention has removed do not count as missing.
  const from = output === 0 ? (await log.startOffsets(topics.correlations))[partition]! : output;
  const { lost } = metadata;
  const outputRange = { log, serde, partition, epoch, from, to: outputEnd, lost };
  const onGap = (gap: LogGap): void => {
    isLost ||= gap.reason === 'damaged';
    deps.gaps(consumerGroup, gap, 'documents that were written there may be written again');
  };
  for await (const { offset, document } of readWritten({ ...outputRange, onGap })) {
    writtenEnd = endAfter(writtenEnd, document);
    restart.documentWritten(offset, lastMember(document));
    if (isLost) starts.add(document.firstOffset);
    if (startOffset < logStart)
      for (const member of memberOffsets(document))
        if (member >= startOffset && member < logStart) gone.add(member);
  }
  const written = new WrittenDocuments(
    lost === undefined || lost.last.closeOffset < (writtenEnd?.closeOffset ?? -1)
      ? writtenEnd
      : { count: writtenEnd?.count ?? 0, ...lost.last, closedByMember: false },
    starts,
  );
  const feed = new WrittenFeed(readWritten(outputRange), written);
  const alertWriter = await AlertWriter.open(log, serde, partition, epoch);
  const order = new CauseOrder(metadata.causes);
  const partitions = await log.partitionCount(topics.events);
  const joinWriter = new JoinWriter({ log, serde, partition, partitions, from: effectsFrom });
  const rulesWriter = new RulesWriter(log, serde, partition, wanted, eventsEnd, deps.rulesRefreshMs);
  const rulesInForce = await inForceAt(metadata.rules);
  const optionsInForce =
    metadata.options === metadata.rules ? rulesInForce : await inForceAt(metadata.options);
  if (rulesInForce !== undefined) rulesWriter.seen(rulesInForce.timestampMs);
  const correlate = new Correlate(partition, await optionsAtStart(), {
    epoch,
    rules: rulesInForce?.rules ?? null,
    clock: metadata.clock,
    written,
    joinLimit: deps.joinLimit,
  });
  // Warmed up by the first batch: if there is nothing to read, nothing is read back.
  let window: DuplicateWindow | undefined;
  const traces = new TraceMemory(tracing);
  let committedAtMs = performance.now();
  let position = startOffset;
  let appliedAtMs = performance.now();
  /** Whether the last record is a tick of this process: if it came too early, the machine's clock is ahead of the log's. */
  let hasTicked = false;
  // An empty partition gets the rules before its first event.
  await rulesWriter.ensure(position, correlate, nowMs());

  async function inForceAt(offset: number | undefined): ReturnType<typeof readInForce> {
    const found = offset === undefined ? undefined : await readInForce(log, serde, partition, offset);
    if (found === undefined && offset !== undefined)
      logger.warn(
        { partition, offset },
        'the record of the rules and options in force has left the log; later ones are used, and no rules before them',
      );
    return found;
  }

  /** The log must contain the options before a document is written with them. */
  async function optionsAtStart(): Promise<CorrelateOptions> {
    if (optionsInForce?.options !== undefined) return optionsInForce.options;
    const there = await firstOptions(log, serde, partition, startOffset, eventsEnd);
    if (there !== undefined) return there;
    const offset = await rulesWriter.write();
    // Another instance may have been faster: the first record counts for both.
    return (await firstOptions(log, serde, partition, eventsEnd, offset + 1)) ?? wanted.options;
  }

  const report = ({ offset }: LogRecord, { rules }: { rules: unknown }): void => {
    if (rules === undefined) logger.error({ partition, offset }, 'rules of the log cannot be read');
    else metrics.rulesChanges.inc();
  };

  const commit = async (): Promise<void> => {
    committedAtMs = performance.now();
    const next = restart.next(correlate.lowWaterMark);
    if (next !== null) await assignment.commit(next.offset, next.metadata);
  };

  const append = async (documents: readonly Outgoing[]): Promise<void> => {
    for (let i = 0; i < documents.length; i += documentsPerAppend) {
      const part = documents.slice(i, i + documentsPerAppend);
      const records = part.map(({ record }) => record);
      const offsets = await tracing.batch(spans.send, records, (span) => {
        span.set({ 'messaging.batch.message_count': records.length });
        return log.append(topics.correlations, records);
      });
      part.forEach((document, k) => {
        restart.documentWritten(offsets[k]!, document.lastMember);
        metrics.documents.inc({ reason: document.reason });
        if (document.isLate) metrics.revisions.inc();
        if (document.isShort && document.isBackfill) backfillShort();
        else if (document.isShort) memoryShort();
      });
    }
  };

  let setbacks = 0;
  const reportSetbacks = (): void => {
    if (correlate.time.setbacks === setbacks) return;
    metrics.clockSetbacks.inc(correlate.time.setbacks - setbacks);
    setbacks = correlate.time.setbacks;
    logger.warn(
      { partition, appendTime: correlate.time.markMs },
      'append times of the log decreased: the clock of its machine was set back; requests continue from there',
    );
  };

  let warnedAtMs = -Infinity;
  const memoryShort = (): void => {
    metrics.shortOfMemory.inc();
    if (performance.now() - warnedAtMs < warnIntervalMs) return;
    warnedAtMs = performance.now();
    logger.warn(
      { partition, sessions: correlate.openSessions, bytes: correlate.bytes, ...correlate.options },
      'open requests exceed their memory: those that were idle longest are closed, and closed ones take no late events',
    );
  };

  let backfillWarnedAtMs = -Infinity;
  const backfillShort = (): void => {
    metrics.backfillShortOfMemory.inc();
    if (performance.now() - backfillWarnedAtMs < warnIntervalMs) return;
    backfillWarnedAtMs = performance.now();
    logger.warn(
      { partition, bytes: correlate.backfillBytes, ...correlate.options.backfill },
      'requests of a backfill exceed their memory: those that were idle longest are closed, and what comes of them later makes further parts',
    );
  };

  const limited = new Set<string>();
  /** The log repeats it as long as such an id comes. */
  const joinLimited = (id: string): void => {
    if (limited.has(id)) return;
    if (limited.size >= maxLimitedIds) limited.clear();
    limited.add(id);
    metrics.joinLimited.inc();
    logger.warn(
      { partition, id, limit: deps.joinLimit },
      'an id joins too many requests, as a placeholder or the id of a tenant does: it joins no more, and each request has its own document',
    );
  };

  /** Open sessions stay: they close by the log's clock, without the lost events. Written documents stay as well. */
  const passOver = async (gap: LogGap): Promise<void> => {
    const known = [...gone].filter((offset) => offset >= gap.from && offset < gap.to);
    deps.gaps(consumerGroup, gap, 'their requests are in no document, or in one without them', known.length);
    if (gap.reason === 'lost-end') return endLost(gap.from);
    position = gap.to;
    // Nothing was applied yet: the state begins after the gap.
    if (window === undefined) restart.beginAt(position);
    else restart.batchApplied(position, {});
  };

  /** Offsets from there on belong to other records than those that were applied. */
  const endLost = async (from: number): Promise<void> => {
    const to = (await log.endOffsets(topics.correlations))[partition]!;
    const close = await lastClose({ log, serde, partition, epoch, to });
    await feed.endLost(from);
    correlate.endLost(from, close);
    restart.endLost({ from, output: to, last: close });
    position = from;
    window = undefined;
    await commit();
  };

  return {
    startOffset,
    gap: passOver,
    process: (records) =>
      tracing.batch(spans.process, records, async (span) => {
        span.set(batchAttributes(records));
        const values = records.map((record) => record.value);
        await serde.load(values);
        await loadForwarded(serde, values);
        if (window === undefined) {
          window = await warmUp({ log, topic: topics.events, partition }, position, (read) =>
            serde.sources(read.map(({ value }) => value)),
          );
          gone.clear();
        }
        const outgoing = new OutgoingDocuments(serde, { partition, epoch }, traces);
        const alerts: Alert[] = [];
        const effects: JoinEffect[] = [];
        const setBy: SetBy = {};
        for (const record of records) {
          // A record that cannot be decoded counts as a tick, and the indexer keeps it as a dead letter.
          const decoded = tryDecode(serde, record.value);
          const event = decoded?.name === 'LogEvent' ? decoded.value : null;
          if (decoded?.name !== 'Tick') hasTicked = false;
          const set = decoded?.name === 'Rules' ? await inForceFrom(decoded.value, record) : undefined;
          if (set !== undefined) {
            rulesWriter.seen(record.timestampMs);
            report(record, set);
          }
          const isDuplicate = event !== null && !window.admit(event.source, record.offset);
          if (isDuplicate) metrics.duplicates.inc();
          const member = event === null || isDuplicate || event.correlationId === null ? null : event;
          if (member !== null) traces.remember(member.correlationId!, record);
          const input: InputRecord = {
            offset: record.offset,
            timestampMs: record.timestampMs,
            isBackfill: isBackfill(record),
            ...(event === null ? joinInput(decoded, order, serde) : { event: member }),
          };
          if (input.link?.into === '') joinLimited(input.link.id);
          if (set?.rules !== undefined) {
            input.rules = set.rules;
            setBy.rules = record.offset;
          }
          if (set?.options !== undefined) {
            input.options = set.options;
            setBy.options = record.offset;
          }
          await feed.advance(record.offset);
          correlate.apply(input, outgoing, alerts, effects);
        }
        metrics.events.inc(records.length);
        await append(outgoing.documents);
        metrics.alerts.inc(await alertWriter.append(alerts));
        metrics.joinRecords.inc(await joinWriter.append(effects, records));
        ages.addRecords(records);
        position = records.at(-1)!.offset + 1;
        restart.batchApplied(position, setBy, correlate.time.state, order.last);
        appliedAtMs = performance.now();
        reportSetbacks();
        metrics.openSessions.set({ partition: String(partition) }, correlate.openSessions);
        metrics.sessionBytes.set({ partition: String(partition) }, correlate.bytes);
        metrics.backfillBytes.set({ partition: String(partition) }, correlate.backfillBytes);
        metrics.openWaits.set({ partition: String(partition) }, correlate.openWaits);
        metrics.links.set({ partition: String(partition) }, correlate.links);
        await rulesWriter.ensure(position, correlate, nowMs());
        if (performance.now() - committedAtMs >= commitIntervalMs) await commit();
      }),
    idle: async () => {
      if (performance.now() - committedAtMs >= commitIntervalMs) await commit();
      // A record of rules moves the clock as well as a tick does.
      if (await rulesWriter.ensure(position, correlate, nowMs())) return;
      const dueAt = correlate.nextDeadlineMs;
      if (dueAt === null) return;
      const left = dueAt - correlate.time.nowMs;
      // By the machine's clock, which knows for how long nobody read; but once the remaining time has passed, if that clock is behind the
      // log's, and not before, if it is ahead of it.
      const isDue = !hasTicked && nowMs() - correlate.time.markMs >= left;
      if (!isDue && performance.now() - appliedAtMs < left) return;
      await log.append(topics.events, [{ partition, key: null, value: serde.encode('Tick', { dueAt }) }]);
      metrics.ticks.inc();
      hasTicked = true;
    },
    close: async () => {
      // The next owner of the partition reports its state.
      for (const gauge of [
        metrics.openSessions,
        metrics.openWaits,
        metrics.sessionBytes,
        metrics.backfillBytes,
        metrics.links,
      ])
        gauge.remove({ partition: String(partition) });
      await commit();
    },
  };
}
