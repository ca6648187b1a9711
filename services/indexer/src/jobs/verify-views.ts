import type { Archive } from '@logloom/archive';
import { SqliteEventLog, warmUp, type EventLog, type LogGap } from '@logloom/event-log';
import {
  isForUsers,
  placeEvent,
  topics,
  type Correlation,
  type LogView,
  type PlacedEvent,
} from '@logloom/schemas';
import type { SearchStore } from '@logloom/search-store';
import type { Logger } from '@logloom/telemetry';
import type { IndexerMetrics } from '../telemetry.ts';
import type { LogAccess } from './dead-letters.ts';
import type { ExchangeLock } from './exchange-lock.ts';
import { LogReader, type Progress, type ReadRange } from './log-reader.ts';
import type { RetentionSettings } from './retention.ts';

export interface VerifyDeps extends LogAccess {
  search: SearchStore;
  archive: Archive;
  /** Makes writes to the search store wait. */
  exchangeLock: ExchangeLock;
  settings: RetentionSettings;
  logger: Pick<Logger, 'info' | 'error'>;
  metrics: { missingItems: Pick<IndexerMetrics['missingItems'], 'set'> };
  /** The time of retention's clock, in ms. */
  nowMs: () => number;
}

export const viewNames = ['search', 'archive'] as const;
export type ViewName = (typeof viewNames)[number];

export interface VerifyJob {
  /** Fills in what the views lack. */
  refill: boolean;
  /** Without it all. */
  view?: ViewName | undefined;
  /** Checks only some places of each partition, and the whole partition if something is missing there. */
  sample?: boolean | undefined;
  /** Skips the log's checksums. */
  withoutChecksums?: boolean | undefined;
}

/** The state of a view for one kind of item. */
export interface ViewReport {
  view: ViewName;
  kind: 'events' | 'correlations';
  /** How many items it should hold by the log, up to the commit, without those that retention has removed. */
  expected: number;
  missing: number;
  /** How many of the missing items were filled in. */
  refilled: number;
  /** The places of the missing items in the log, the first 100 ranges. Not all items between `from` and `to` need be missing. */
  ranges: (ReadRange & { missing: number })[];
}

export interface VerifyResult {
  /** Whether nothing is missing now and the log is not damaged. */
  complete: boolean;
  views: ViewReport[];
  /** Batches of the embedded log that do not match their checksum, and offsets that were lost. */
  damaged: LogGap[];
}

const maxRanges = 100;
const samples = 32;
const sampleRecords = 100;

/**
 * Compares the views with the log, up to the indexer's commits, and fills in missing items if requested. It is safe to repeat: existing
 * items are recognized by their ids.
 */
export async function verifyViews(
  deps: VerifyDeps,
  job: VerifyJob,
  signal: AbortSignal,
  onProgress: Progress,
): Promise<VerifyResult> {
  const views = viewNames.filter((name) => job.view === undefined || job.view === name);
  const checks = views.map((name) => new ViewCheck(deps, name, job.refill));
  for (const check of checks) await check.open();
  if (job.sample === true && !(await sampleShowsLoss(deps, checks, signal)))
    return { complete: true, views: [], damaged: [] };
  const reader = new LogReader(deps, signal, {
    index: async (events, range) => {
      for (const check of checks) await check.events(events, range);
    },
    indexCorrelations: async (documents, range) => {
      for (const check of checks) await check.correlations(documents, range);
    },
  });
  await reader.ends();
  await reader.readTo(await committedEnds(deps), onProgress);
  const damaged = job.withoutChecksums === true ? [] : await damagedRanges(deps, signal);
  const reports = checks.flatMap((check) => check.reports);
  for (const { view, kind, missing, refilled, ranges } of reports) {
    deps.metrics.missingItems.set({ view, kind }, missing - refilled);
    if (missing > 0)
      deps.logger.error({ view, kind, missing, refilled, ranges }, 'a view lacked items of the log');
  }
  if (damaged.length > 0) deps.logger.error({ damaged }, 'the log holds damaged records');
  const complete = damaged.length === 0 && reports.every(({ missing, refilled }) => missing === refilled);
  return { complete, views: reports, damaged };
}

/** One view, and its missing items. */
class ViewCheck {
  readonly reports: ViewReport[];
  readonly #deps: VerifyDeps;
  readonly #view: ViewName;
  readonly #refill: boolean;
  #oldest = -Infinity;

  constructor(deps: VerifyDeps, view: ViewName, refill: boolean) {
    this.#deps = deps;
    this.#view = view;
    this.#refill = refill;
    this.reports = (['events', 'correlations'] as const).map((kind) => ({
      view,
      kind,
      expected: 0,
      missing: 0,
      refilled: 0,
      ranges: [],
    }));
  }

  /** Reads what retention has removed. */
  async open(): Promise<void> {
    const { settings, nowMs } = this.#deps;
    const retentionMs =
      this.#view === 'search' ? settings.SEARCH_RETENTION_MS : settings.ARCHIVE_RETENTION_MS;
    const setting = retentionMs === undefined ? -Infinity : (nowMs() - retentionMs) * 1000;
    this.#oldest = Math.max(setting, await this.#store.removedBefore());
  }

  get #store(): LogView {
    return this.#deps[this.#view];
  }

  /** Returns the missing events, without recording them. */
  async missing(events: readonly PlacedEvent[]): Promise<PlacedEvent[]> {
    return this.#store.missingEvents(events.filter(({ timestamp }) => timestamp >= this.#oldest));
  }

  async events(events: readonly PlacedEvent[], range: ReadRange): Promise<void> {
    const expected = events.filter(({ timestamp }) => timestamp >= this.#oldest);
    const missing = await this.#store.missingEvents(expected);
    const from = missing[0]?.offset ?? range.from;
    const to = (missing.at(-1)?.offset ?? range.from) + 1;
    note(this.reports[0]!, expected.length, missing.length, { ...range, from, to });
    if (missing.length === 0 || !this.#refill) return;
    const { search, archive, exchangeLock } = this.#deps;
    let refused = 0;
    if (this.#view === 'archive') await archive.put(missing);
    else refused = (await exchangeLock.write(() => search.index(missing))).length;
    this.reports[0]!.refilled += missing.length - refused;
  }

  async correlations(documents: readonly Correlation[], range: ReadRange): Promise<void> {
    // A lower revision in the same batch is no longer expected.
    const newest = new Map<string, Correlation>();
    for (const document of documents) newest.set(document.id, document);
    const expected = [...newest.values()].filter(({ lastAt }) => lastAt >= this.#oldest);
    const missing = await this.#withoutJoined(await this.#store.missingCorrelations(expected));
    note(this.reports[1]!, expected.length, missing.length, range);
    if (missing.length === 0 || !this.#refill) return;
    const { search, archive, exchangeLock } = this.#deps;
    let refused = 0;
    if (this.#view === 'archive') await archive.putCorrelations(missing);
    else refused = (await exchangeLock.write(() => search.indexCorrelations(missing))).length;
    this.reports[1]!.refilled += missing.length - refused;
  }

  /** The search has no document that was joined into another later on. The archive has its last revision, which says so. */
  async #withoutJoined(missing: readonly Correlation[]): Promise<Correlation[]> {
    if (this.#view === 'archive') return [...missing];
    const lacking: Correlation[] = [];
    for (const document of missing) {
      const last = document.joinedInto ? undefined : await this.#deps.archive.correlation(document.id);
      if (!last?.joinedInto) lacking.push(document);
    }
    return lacking;
  }
}

function note(report: ViewReport, expected: number, missing: number, range: ReadRange): void {
  report.expected += expected;
  if (missing === 0) return;
  report.missing += missing;
  const last = report.ranges.at(-1);
  // Steps of one partition run in order.
  if (last?.partition === range.partition && last.to >= range.from) {
    last.to = range.to;
    last.missing += missing;
  } else if (report.ranges.length < maxRanges) report.ranges.push({ ...range, missing });
}

/** Per topic and partition, the offset up to which the indexer has committed. */
async function committedEnds({ log }: LogAccess): Promise<Map<string, number[]>> {
  const ends = new Map<string, number[]>();
  for (const topic of [topics.events, topics.correlations])
    ends.set(
      topic,
      (await log.committed('indexer', topic)).map((commit) => commit?.offset ?? 0),
    );
  return ends;
}

/** Whether a view lacks an event of one of the checked places. */
async function sampleShowsLoss(
  deps: VerifyDeps,
  checks: readonly ViewCheck[],
  signal: AbortSignal,
): Promise<boolean> {
  const { log, serde } = deps;
  const starts = await log.startOffsets(topics.events);
  const ends = (await committedEnds(deps)).get(topics.events)!;
  const epoch = await log.epochOf(topics.events);
  for (const [partition, end] of ends.entries()) {
    for (const place of samplePlaces(log, partition, starts[partition]!, end)) {
      signal.throwIfAborted();
      const count = Math.min(sampleRecords, end - place);
      const records = await log.read(topics.events, partition, place, count);
      await serde.load(records.map(({ value }) => value));
      const sources = await serde.sources(records.map(({ value }) => value));
      const events = records.flatMap(({ value, offset }, i) => {
        const decoded = sources[i] === undefined ? undefined : serde.decode(value);
        return decoded?.name === 'LogEvent' && isForUsers(decoded.value)
          ? [placeEvent(decoded.value, epoch, partition, offset)]
          : [];
      });
      const missing = (await Promise.all(checks.map((check) => check.missing(events)))).flat();
      if (missing.length === 0) continue;
      // A duplicate is in no view. The records before it show whether it is one.
      const window = await warmUp({ log, topic: topics.events, partition }, place, (read) =>
        serde.sources(read.map(({ value }) => value)),
      );
      const duplicates = new Set(
        events.filter(({ source, offset }) => !window.admit(source, offset)).map(({ offset }) => offset),
      );
      if (missing.some(({ offset }) => !duplicates.has(offset))) return true;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return false;
}

/** Places that are spread evenly over the records from `start` to `end`. */
function* samplePlaces(log: EventLog, partition: number, start: number, end: number): Generator<number> {
  const skips = (log.skippedOffsets?.(topics.events) ?? []).filter(
    (skip) => skip.partition === partition && skip.from >= start && skip.to <= end,
  );
  const length = skips.reduce((sum, { from, to }) => sum - (to - from), end - start);
  const step = Math.max(sampleRecords, Math.ceil(length / samples));
  for (let place = start; place < end; place += step) {
    const skip = skips.find(({ from, to }) => from <= place && place < to);
    if (skip !== undefined) place += skip.to - skip.from;
    if (place < end) yield place;
  }
}

/** Of all topics of the embedded log; Kafka's brokers compare checksums themselves. */
async function damagedRanges({ log }: LogAccess, signal: AbortSignal): Promise<LogGap[]> {
  if (!(log instanceof SqliteEventLog)) return [];
  const damaged: LogGap[] = [];
  for (const topic of Object.values(topics)) damaged.push(...(await log.damage(topic, signal)));
  return damaged;
}
