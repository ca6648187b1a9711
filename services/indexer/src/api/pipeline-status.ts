import type { Archive } from '@logloom/archive';
import { EventLogError, skippedBetween, type EventLog } from '@logloom/event-log';
import { parseFilter, type Filter } from '@logloom/filter';
import type { DataSpace } from '@logloom/runtime';
import { topics } from '@logloom/schemas';
import type { SearchStore } from '@logloom/search-store';
import { newestAppendMs } from '../jobs/retention-clock.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { metadataOf, positionOf, readingGroups } from './consumer-groups.ts';

// Requests that were closed because of memory.
const evictedFilter = readFilter('closeReason:evicted');

export interface StatusDeps {
  search: SearchStore;
  archive: Archive;
  log: EventLog;
  /** Measures the files of the embedded log and stores. */
  space?: Pick<DataSpace, 'report'> | undefined;
  version: string;
  /** The machine's clock in ms. */
  nowMs?: () => number;
}

/** The log retries for longer than a client waits for the status. */
const logPatienceMs = 5_000;

/**
 * The state of the pipeline: the log's ends, the lag of each consumer group on each partition, the counts of the stores. Parts that do not
 * answer are named in `unavailable`, and are null or empty.
 */
export async function pipelineStatus({ search, archive, log, space, version, nowMs = Date.now }: StatusDeps) {
  const unavailable: { part: 'search' | 'archive' | 'log'; code: string; message: string }[] = [];
  const known = async <T>(
    part: (typeof unavailable)[number]['part'],
    work: Promise<T>,
  ): Promise<T | undefined> => {
    try {
      return await work;
    } catch (error) {
      const { code, retriable, message } = error as { code: string; retriable?: boolean; message: string };
      if (retriable !== true) throw error;
      if (!unavailable.some((other) => other.part === part)) unavailable.push({ part, code, message });
      return undefined;
    }
  };
  const [indexed, archived, evicted, positions, room] = await Promise.all([
    known('search', search.counts()),
    known('archive', archive.counts()),
    known('search', search.correlations({ filter: evictedFilter, limit: 1 })),
    known('log', inTime(positionsOf(log, nowMs))),
    // A disk that cannot be looked at is not a reason to say nothing of the rest.
    space?.report().catch(() => undefined),
  ]);
  return {
    version,
    node: process.version,
    uptimeSeconds: Math.floor(process.uptime()),
    epoch: log.epoch,
    topics: positions?.topics ?? {},
    consumers: positions?.consumers ?? [],
    clock: positions?.clock ?? null,
    counts: {
      events: indexed?.events ?? null,
      correlations: indexed?.correlations ?? null,
      archived: archived?.events ?? null,
      archivedCorrelations: archived?.correlations ?? null,
      evictedCorrelations: evicted?.total.value ?? null,
    },
    space: room ?? null,
    unavailable,
  };
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = sleep(logPatienceMs, undefined, { signal: timer.signal }).then(() => {
    throw new EventLogError('log-unavailable', 'the log does not answer');
  });
  late.catch(() => {});
  work.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.abort();
  }
}

async function positionsOf(log: EventLog, nowMs: () => number) {
  const ends = new Map<string, { partition: number; start: number; end: number }[]>();
  for (const topic of Object.values(topics)) {
    const [start, end] = await Promise.all([log.startOffsets(topic), log.endOffsets(topic)]);
    ends.set(
      topic,
      end.map((offset, partition) => ({ partition, start: start[partition]!, end: offset })),
    );
  }
  const groups = await readingGroups(log);
  const lags = await Promise.all(
    groups.map(async ({ group, topic }) => {
      const commits = await log.committed(group, topic);
      return ends.get(topic)!.map(({ partition, start, end }) => {
        const commit = commits[partition] ?? null;
        const committed = commit?.offset ?? null;
        const position = positionOf(commit) ?? start;
        const next = Math.max(position, start);
        return {
          group,
          topic,
          partition,
          committed,
          end,
          lag: Math.max(0, end - next - skippedBetween(log, topic, partition, next, end)),
          // They have left the log unread; the group reports them when it gets there.
          lost:
            commit === null
              ? 0
              : Math.max(0, start - position - skippedBetween(log, topic, partition, position, start)),
        };
      });
    }),
  );
  return { topics: Object.fromEntries(ends), consumers: lags.flat(), clock: await clockOf(log, nowMs) };
}

/** How far the log's clock is ahead of the machine's, and by how much it was set back in total, as far as the correlator has read. */
async function clockOf(log: EventLog, nowMs: () => number): Promise<{ aheadMs: number; setBackMs: number }> {
  const newest = await newestAppendMs(log);
  const setBacks = (await log.committed('correlator', topics.events)).map((commit) => {
    // The log's clock keeps the lead that it had before the append times decreased.
    const clock = metadataOf(commit)?.clock;
    return clock === undefined ? 0 : clock.now - clock.mark;
  });
  return {
    aheadMs: newest === undefined ? 0 : Math.max(0, newest - nowMs()),
    setBackMs: Math.max(0, ...setBacks),
  };
}

function readFilter(text: string): Filter {
  const result = parseFilter(text);
  if (!result.ok) throw new TypeError(result.error.message);
  return result.filter;
}
