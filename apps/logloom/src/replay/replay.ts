import {
  CauseOrder,
  Correlate,
  firstOptions,
  inForceFrom,
  joinInput,
  loadForwarded,
  type CorrelateOptions,
  type InputRecord,
} from '@logloom/correlator';
import { EventLogError, warmUp, type EventLog, type LogGap, type LogRecord } from '@logloom/event-log';
import type { RuleSet } from '@logloom/rules';
import type { Serde } from '@logloom/schema-registry';
import { isBackfill, isDocumentForUsers, topics, type Alert, type Correlation } from '@logloom/schemas';

export interface ReplayOptions {
  log: EventLog;
  serde: Serde;
  /** Rules instead of those in the log; undefined: as in the log. */
  options: CorrelateOptions | undefined;
  /** For a log without any. */
  fallback: CorrelateOptions;
  /** Instead of those in the log; null: none; undefined: as in the log. */
  rules: RuleSet | null | undefined;
  /** Append times in ms; undefined: from the start, to the end. */
  fromMs: number | undefined;
  toMs: number | undefined;
  signal: AbortSignal;
}

/** Receives the output of a replay, partition by partition, in the order of closing. */
export interface ReplayView {
  put(documents: readonly Correlation[], alerts: readonly Alert[]): Promise<void>;
}

/** One partition's part of the log that was read: [from, to). */
export interface ReplayedRange {
  partition: number;
  from: number;
  to: number;
  /** Records of it that could not be read: trimmed meanwhile, damaged, or lost with the log's end. */
  gaps: LogGap[];
}

const recordsPerRead = 2000;

/**
 * Correlates a range of logs.events again, with other rules if given, into a view. Only reads the live topics. Sessions that are open at
 * the end of the range close as if nothing followed. Throws EventLogError `topic-recreated` if logs.events is recreated meanwhile.
 */
export async function replay(given: ReplayOptions, view: ReplayView): Promise<ReplayedRange[]> {
  const { log, fromMs, toMs } = given;
  const epoch = await log.epochOf(topics.events);
  const starts = await log.startOffsets(topics.events);
  const from = fromMs === undefined ? starts : await log.offsetsByTime(topics.events, fromMs);
  const ends = await log.endOffsets(topics.events);
  const to = toMs === undefined ? ends : await log.offsetsByTime(topics.events, toMs);
  const ranges = ends.map((end, partition) => ({
    partition,
    from: Math.max(starts[partition]!, from[partition]!),
    to: Math.min(end, to[partition]!),
    gaps: [] as LogGap[],
  }));
  for (const range of ranges) await replayPartition(given, epoch, range, view);
  return ranges;
}

async function replayPartition(
  { log, serde, options, fallback, rules, signal }: ReplayOptions,
  epoch: string,
  { partition, from, to, gaps }: ReplayedRange,
  view: ReplayView,
): Promise<void> {
  const before = await inForceBefore(log, serde, partition, from);
  const end = (await log.endOffsets(topics.events))[partition]!;
  const start =
    options ?? before.options ?? (await firstOptions(log, serde, partition, from, end)) ?? fallback;
  const correlate = new Correlate(partition, start, {
    epoch,
    rules: rules === undefined ? (before.rules ?? null) : rules,
  });
  const window = await warmUp({ log, topic: topics.events, partition }, from, (records) =>
    serde.sources(records.map(({ value }) => value)),
  );
  const order = new CauseOrder();
  let offset = from;
  while (offset < to) {
    signal.throwIfAborted();
    const found: LogGap[] = [];
    const read = await log.read(topics.events, partition, offset, recordsPerRead, (gap) => found.push(gap));
    if ((await log.epochOf(topics.events)) !== epoch)
      throw new EventLogError('topic-recreated', `${topics.events} was recreated during the replay`);
    for (const gap of found)
      if (gap.from < to && gap.reason !== 'lost-end') gaps.push({ ...gap, to: Math.min(gap.to, to) });
    const records = read.filter((record) => record.offset < to);
    if (records.length === 0) {
      const end = (await log.endOffsets(topics.events))[partition]!;
      const lost = { from: Math.max(offset, end), to, reason: 'lost-end' } as const;
      if (end < to) gaps.push({ topic: topics.events, partition, ...lost });
      break;
    }
    const values = records.map((record) => record.value);
    await serde.load(values);
    await loadForwarded(serde, values);
    const documents: Correlation[] = [];
    const alerts: Alert[] = [];
    for (const record of records) await apply(record, documents, alerts);
    await view.put(documents.filter(isDocumentForUsers), alerts);
    offset = records.at(-1)!.offset + 1;
  }
  const documents: Correlation[] = [];
  const alerts: Alert[] = [];
  for (let due = correlate.nextDeadlineMs; due !== null; due = correlate.nextDeadlineMs)
    correlate.apply({ offset: offset++, timestampMs: due, event: null }, documents, alerts);
  await view.put(documents.filter(isDocumentForUsers), alerts);

  async function apply(record: LogRecord, output: Correlation[], raised: Alert[]): Promise<void> {
    const place = { offset: record.offset, timestampMs: record.timestampMs };
    const decoded = tryDecode(serde, record);
    if (decoded?.name === 'Rules') {
      const set = await inForceFrom(decoded.value, record);
      const input: InputRecord = { ...place, event: null };
      if (rules === undefined && set.rules !== undefined) input.rules = set.rules;
      if (options === undefined && set.options !== undefined) input.options = set.options;
      correlate.apply(input, output, raised);
      return;
    }
    if (decoded?.name !== 'LogEvent') {
      const input = { ...place, ...joinInput(decoded, order, serde), isBackfill: isBackfill(record) };
      correlate.apply(input, output, raised);
      return;
    }
    const { value: event } = decoded;
    const counts = window.admit(event.source, record.offset) && event.correlationId !== null;
    const input = { ...place, event: counts ? event : null, isBackfill: isBackfill(record) };
    correlate.apply(input, output, raised);
  }
}

/**
 * The rules and options in force before an offset; undefined if the log has none. The correlator repeats them at least every hour, so only
 * a part of the log is searched, in growing steps until one contains such a record.
 */
async function inForceBefore(
  log: EventLog,
  serde: Serde,
  partition: number,
  offset: number,
): Promise<{ rules?: RuleSet | null; options?: CorrelateOptions }> {
  const start = (await log.startOffsets(topics.events))[partition]!;
  const inForce: { rules?: RuleSet | null; options?: CorrelateOptions } = {};
  for (let size = recordsPerRead, end = offset; end > start; size *= 2) {
    const begin = Math.max(start, end - size);
    const found: typeof inForce = {};
    for (let next = begin; next < end;) {
      const read = await log.read(topics.events, partition, next, recordsPerRead);
      const records = read.filter((record) => record.offset < end);
      if (records.length === 0) break;
      await serde.load(records.map((record) => record.value));
      for (const record of records) {
        const decoded = tryDecode(serde, record);
        if (decoded?.name !== 'Rules') continue;
        const { rules, options } = await inForceFrom(decoded.value, record);
        if (rules !== undefined) found.rules = rules;
        if (options !== undefined) found.options = options;
      }
      next = records.at(-1)!.offset + 1;
    }
    Object.assign(inForce, { ...found, ...inForce });
    if (inForce.rules !== undefined && inForce.options !== undefined) return inForce;
    end = begin;
  }
  return inForce;
}

/** Records that cannot be decoded are in no document, live or replayed. */
function tryDecode(serde: Serde, record: LogRecord): ReturnType<Serde['decode']> | undefined {
  try {
    return serde.decode(record.value);
  } catch {
    return undefined;
  }
}
