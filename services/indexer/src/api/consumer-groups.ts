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

/** Those of rules over many events. */
const ruleGroups = [
  { group: 'rules-counter', topic: topics.events },
  { group: 'rules-evaluator', topic: topics.windows },
] as const;

/** The groups that read now: those of rules over many events only while such rules are in force. */
export async function readingGroups(
  log: Pick<EventLog, 'committed'>,
): Promise<readonly { group: string; topic: (typeof topics)[keyof typeof topics] }[]> {
  const commits = await log.committed('rules-counter', topics.events);
  const isActive = commits.some((commit) => metadataOf(commit)?.active === true);
  return isActive ? [...consumerGroups, ...ruleGroups] : consumerGroups;
}

/** Where each group is; one that never committed is at the start of the log. */
export async function groupPositions(log: Pick<EventLog, 'committed'>): Promise<ConsumerPositions[]> {
  const groups = await readingGroups(log);
  return Promise.all(
    groups.map(async ({ group, topic }) => ({
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
  active?: boolean;
}

export function metadataOf(commit: Commit | null): CorrelatorMetadata | undefined {
  if (commit?.metadata.startsWith('{') !== true) return undefined;
  return JSON.parse(commit.metadata) as CorrelatorMetadata;
}
