import type { Archive } from '@logloom/archive';
import type { Commit, EventLog } from '@logloom/event-log';
import { topics } from '@logloom/schemas';
import type { SearchStore } from '@logloom/search-store';
import type { LoadtestStores } from '../loadtest/loadtest-stores.ts';
import type { Settings } from '../settings.ts';
import type { Logger } from '@logloom/telemetry';

export type RetentionSettings = Pick<
  Settings,
  'LOG_RETENTION_MS' | 'SEARCH_RETENTION_MS' | 'ARCHIVE_RETENTION_MS' | 'KAFKA_BROKERS'
> &
  Partial<Pick<Settings, 'DEAD_LETTER_RETENTION_MS' | 'LOADTEST_RETENTION_MS'>>;

export interface RetentionDeps {
  settings: RetentionSettings;
  log: EventLog;
  search: Pick<SearchStore, 'deleteBefore'>;
  archive: Pick<Archive, 'dropBefore'>;
  /** Where load tests' events are. */
  loadtest?: Pick<LoadtestStores, 'removeBefore'> | undefined;
  logger: Pick<Logger, 'info' | 'warn'>;
  /** Receives the age of the oldest record of a topic that a group still needs. */
  oldestUnread?: (topic: string, seconds: number) => void;
  /** The machine's clock in ms. */
  nowMs: () => number;
}

type Topic = (typeof topics)[keyof typeof topics];

/** The consumer groups of a topic: records that one of them still needs are not removed. */
const readers: Readonly<Record<Topic, readonly string[]>> = {
  [topics.raw]: ['ingest'],
  [topics.events]: ['correlator', 'indexer'],
  [topics.correlations]: ['indexer'],
  [topics.deadLetter]: [],
  [topics.alerts]: ['alerts'],
  [topics.windows]: ['rules-evaluator'],
};

/** How long (ms) the embedded log keeps records of logs.windows at most, once they were read. */
const windowsRetentionMs = 3_600_000;

/** The lag, as a share of the retention, from which a warning is logged. */
const nearRetention = 0.8;

/**
 * Whether these settings leave anything to do. Kafka's brokers trim the log by themselves; a warning is logged for groups that are close to
 * that.
 */
export function hasRetention(settings: RetentionSettings): boolean {
  return (
    settings.LOG_RETENTION_MS !== undefined ||
    topicRetention(settings, topics.deadLetter) !== undefined ||
    topicRetention(settings, topics.windows) !== undefined ||
    settings.SEARCH_RETENTION_MS !== undefined ||
    settings.ARCHIVE_RETENTION_MS !== undefined ||
    settings.LOADTEST_RETENTION_MS !== undefined
  );
}

/** The numbers of removed items: records by topic, events by store; zeros are left out. */
export type Removed = Record<string, number>;

/** Removes items that are older than the settings allow, and logs their numbers. It is safe to repeat. */
export async function applyRetention(deps: RetentionDeps): Promise<Removed> {
  const { settings, log, search, archive, loadtest, logger, nowMs } = deps;
  const removed: Removed = {};
  if (settings.LOG_RETENTION_MS !== undefined) await warnOfReaders(deps, settings.LOG_RETENTION_MS);
  for (const topic of Object.values(topics)) {
    const retentionMs = topicRetention(settings, topic);
    if (retentionMs === undefined) continue;
    const before = await log.startOffsets(topic);
    await log.trim(topic, await trimBound(log, topic, nowMs() - retentionMs));
    removed[topic] = sum(await log.startOffsets(topic)) - sum(before);
  }
  const micros = (retentionMs: number): number => (nowMs() - retentionMs) * 1000;
  if (settings.SEARCH_RETENTION_MS !== undefined)
    removed['search'] = await search.deleteBefore(micros(settings.SEARCH_RETENTION_MS));
  if (settings.ARCHIVE_RETENTION_MS !== undefined)
    removed['archive'] = await archive.dropBefore(micros(settings.ARCHIVE_RETENTION_MS));
  if (settings.LOADTEST_RETENTION_MS !== undefined && loadtest !== undefined)
    removed['loadtest'] = await loadtest.removeBefore(micros(settings.LOADTEST_RETENTION_MS));
  const some = Object.fromEntries(Object.entries(removed).filter(([, count]) => count > 0));
  if (Object.keys(some).length > 0) logger.info({ removed: some }, 'removed items older than the retention');
  return some;
}

/** Reports readers that are so far behind that retention approaches their unread records. */
async function warnOfReaders(deps: RetentionDeps, retentionMs: number): Promise<void> {
  const { settings, log, logger, oldestUnread, nowMs } = deps;
  for (const topic of Object.values(topics)) {
    const groups = readers[topic];
    const ends = await log.endOffsets(topic);
    let oldestMs = nowMs();
    for (const [partition, offset] of (await neededFrom(log, topic)).entries()) {
      if (offset >= ends[partition]!) continue;
      const [record] = await log.read(topic, partition, offset, 1);
      if (record !== undefined) oldestMs = Math.min(oldestMs, record.timestampMs);
    }
    const seconds = Math.max(0, nowMs() - oldestMs) / 1000;
    oldestUnread?.(topic, seconds);
    if (groups.length === 0 || seconds * 1000 < retentionMs * nearRetention) continue;
    const effect =
      settings.KAFKA_BROKERS === undefined
        ? 'the log keeps its unread records beyond the retention'
        : 'the brokers will soon delete its unread records';
    logger.warn({ topic, groups, oldestUnreadSeconds: seconds }, `a reader is far behind: ${effect}`);
  }
}

/** How long the embedded log keeps a topic's records; dead letters have their own bound, so that refused input cannot grow forever. */
function topicRetention(settings: RetentionSettings, topic: Topic): number | undefined {
  if (settings.KAFKA_BROKERS !== undefined) return undefined;
  const { LOG_RETENTION_MS: all, DEAD_LETTER_RETENTION_MS: deadLetters } = settings;
  // Whatever was judged is in the state, which is written again and again.
  if (topic === topics.windows) return Math.min(all ?? Infinity, windowsRetentionMs);
  if (topic !== topics.deadLetter || deadLetters === undefined) return all;
  return Math.min(all ?? Infinity, deadLetters);
}

/** The append time (ms) before which a topic can be trimmed: `wantedMs`, or that of the oldest record that a reader still needs. */
async function trimBound(log: EventLog, topic: Topic, wantedMs: number): Promise<number> {
  let bound = wantedMs;
  for (const [partition, offset] of (await neededFrom(log, topic)).entries()) {
    const [record] = await log.read(topic, partition, offset, 1);
    if (record !== undefined) bound = Math.min(bound, record.timestampMs);
  }
  return bound;
}

/** Per partition, the first offset that a reader still needs: the lowest commit, or the start if there is none. */
async function neededFrom(log: EventLog, topic: Topic): Promise<number[]> {
  const starts = await log.startOffsets(topic);
  const needed = await log.endOffsets(topic);
  const keep = (offsets: readonly number[]): void =>
    offsets.forEach((offset, p) => (needed[p] = Math.min(needed[p]!, Math.max(offset, starts[p]!))));
  for (const group of readers[topic])
    keep((await log.committed(group, topic)).map((commit, p) => commit?.offset ?? starts[p]!));
  // A restarted correlator reads its own output from a position that it stores with its commit.
  if (topic === topics.correlations)
    keep(
      (await log.committed('correlator', topics.events)).map((commit, p) =>
        commit === null ? starts[p]! : outputPosition(commit.metadata),
      ),
    );
  // The counter of rules over many events, while there are such rules.
  const counted = (await log.committed('rules-counter', topics.events)).map(countedFrom);
  if (topic === topics.events) keep(counted.map((from, p) => from?.events ?? needed[p]!));
  if (topic === topics.correlations) keep(counted.map((from, p) => from?.documents ?? needed[p]!));
  return needed;
}

/** What the counter still needs of both topics; undefined where no rules are in force. */
function countedFrom(commit: Commit | null): { events: number; documents: number } | undefined {
  if (commit?.metadata.startsWith('{') !== true) return undefined;
  const { active, documents } = JSON.parse(commit.metadata) as {
    active: boolean;
    documents: { offset: number };
  };
  return active ? { events: commit.offset, documents: documents.offset } : undefined;
}

function outputPosition(metadata: string): number {
  return metadata === '' ? 0 : (JSON.parse(metadata) as { output: number }).output;
}

function sum(offsets: readonly number[]): number {
  return offsets.reduce((total, offset) => total + offset, 0);
}
