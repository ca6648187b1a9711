import type { Commit, EventLog } from '@logloom/event-log';
import type { ConsumerPositions } from '@logloom/runtime';
import { topics } from '@logloom/schemas';

/** The pipeline's consumer groups and what each reads. */
export const consumerGroups = [
  { group: 'ingest', topic: topics.raw },
  { group: 'correlator', topic: topics.events },
  { group: 'indexer', topic: topics.events },
  { group: 'indexer', topic: topics.correlations },
  { group: 'alerts', topic: topics.alerts },
] as const;

/** Where each group is; one that never committed is at the start of the log. */
export async function groupPositions(log: Pick<EventLog, 'committed'>): Promise<ConsumerPositions[]> {
  return Promise.all(
    consumerGroups.map(async ({ group, topic }) => ({
      group,
      topic,
      positions: (await log.committed(group, topic)).map((commit) => positionOf(commit) ?? 0),
    })),
  );
}

/**
 * The next record that the group reads. The correlator commits the point from which a restart reads, which lies behind, and keeps
 * its position in the metadata.
 */
export function positionOf(commit: Commit | null): number | undefined {
  return metadataOf(commit)?.position ?? commit?.offset;
}

interface CorrelatorMetadata {
  position?: number;
  clock?: { now: number; mark: number };
}

export function metadataOf(commit: Commit | null): CorrelatorMetadata | undefined {
  if (commit?.metadata.startsWith('{') !== true) return undefined;
  return JSON.parse(commit.metadata) as CorrelatorMetadata;
}
