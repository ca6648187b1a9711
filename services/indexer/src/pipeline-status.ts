import type { Archive } from '@logloom/archive';
import type { Commit, EventLog } from '@logloom/event-log';
import { parseFilter, type Filter } from '@logloom/filter';
import { topics } from '@logloom/schemas';
import type { SearchStore } from '@logloom/search-store';

/** The pipeline's consumer groups and what each reads. */
const consumers = [
  { group: 'ingest', topic: topics.raw },
  { group: 'correlator', topic: topics.events },
  { group: 'indexer', topic: topics.events },
  { group: 'indexer', topic: topics.correlations },
  { group: 'alerts', topic: topics.alerts },
] as const;

// Requests that memory was too short for.
const evictedFilter = readFilter('closeReason:evicted');

export interface StatusDeps {
  search: SearchStore;
  archive: Archive;
  log: EventLog;
  version: string;
}

/** How far the pipeline is: the log's ends, the lag of each group on each partition, what the stores hold. */
export async function pipelineStatus({ search, archive, log, version }: StatusDeps) {
  const [indexed, archived, evicted] = await Promise.all([
    search.counts(),
    archive.counts(),
    search.correlations({ filter: evictedFilter, limit: 1 }),
  ]);
  const ends = new Map<string, { partition: number; start: number; end: number }[]>();
  for (const topic of Object.values(topics)) {
    const [start, end] = await Promise.all([log.startOffsets(topic), log.endOffsets(topic)]);
    ends.set(
      topic,
      end.map((offset, partition) => ({ partition, start: start[partition]!, end: offset })),
    );
  }
  const lags = await Promise.all(
    consumers.map(async ({ group, topic }) => {
      const commits = await log.committed(group, topic);
      return ends.get(topic)!.map(({ partition, start, end }) => {
        const commit = commits[partition] ?? null;
        const committed = commit?.offset ?? null;
        const position = positionOf(commit) ?? start;
        return {
          group,
          topic,
          partition,
          committed,
          end,
          lag: Math.max(0, end - Math.max(position, start)),
          // They have left the log unread; the group announces them when it comes to them.
          lost: commit === null ? 0 : Math.max(0, start - position),
        };
      });
    }),
  );
  return {
    version,
    node: process.version,
    uptimeSeconds: Math.floor(process.uptime()),
    epoch: log.epoch,
    topics: Object.fromEntries(ends),
    consumers: lags.flat(),
    counts: {
      events: indexed.events,
      correlations: indexed.correlations,
      archived: archived.events,
      archivedCorrelations: archived.correlations,
      evictedCorrelations: evicted.total.value,
    },
  };
}

/**
 * The next record that the group reads. The correlator commits the point from which a restart reads, which lies behind, and keeps
 * its position in the metadata.
 */
function positionOf(commit: Commit | null): number | undefined {
  if (commit?.metadata.startsWith('{') !== true) return commit?.offset;
  const { position } = JSON.parse(commit.metadata) as { position?: number };
  return position ?? commit.offset;
}

function readFilter(text: string): Filter {
  const result = parseFilter(text);
  if (!result.ok) throw new TypeError(result.error.message);
  return result.filter;
}
