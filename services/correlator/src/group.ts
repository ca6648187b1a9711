import {
  correlationDefaults,
  levels,
  memberDeltas,
  memberOffsets,
  type CloseReason,
  type Correlation,
  type Level,
  type LogEvent,
} from '@logloom/schemas';
import type { QueueNode } from './linked-queue.ts';

/** What the correlator reads of a log event; the serde skips the rest. */
export type MemberEvent = Pick<
  LogEvent,
  'source' | 'timestamp' | 'level' | 'service' | 'correlationId' | 'correlationKind'
>;

/** The events of one correlation id, from the first one until its grace time is over. */
export interface Group {
  readonly correlationId: string;
  readonly kind: string;
  readonly firstOffset: number;
  /** The members' offsets, ascending. */
  readonly offsets: number[];
  readonly services: string[];
  /** Members per level, by the level's rank. */
  readonly levelCounts: number[];
  /** Microseconds since 1970. */
  firstAt: number;
  lastAt: number;
  /** Revisions written so far. */
  revision: number;
  /** The log's clock (ms) when it opened, or opened again. */
  openedAt: number;
  /** The log's clock (ms) at its last event. */
  activeAt: number;
  /** The log's clock (ms) at its first close; null before. */
  firstClosedAt: number | null;
  // Its places in the queues of correlate.ts; null where it is in none.
  created: QueueNode<Group> | null;
  idle: QueueNode<Group> | null;
  age: QueueNode<Group> | null;
  grace: QueueNode<Group> | null;
}

/** An empty group that its first event is about to join. */
export function openGroup(event: MemberEvent, correlationId: string, offset: number): Group {
  return {
    correlationId,
    kind: event.correlationKind ?? 'correlationId',
    firstOffset: offset,
    offsets: [],
    services: [],
    levelCounts: levels.map(() => 0),
    firstAt: event.timestamp,
    lastAt: event.timestamp,
    revision: 0,
    openedAt: 0,
    activeAt: 0,
    firstClosedAt: null,
    created: null,
    idle: null,
    age: null,
    grace: null,
  };
}

const rank = new Map<Level, number>(levels.map((level, i) => [level, i]));

export function addMember(group: Group, event: MemberEvent, offset: number): void {
  group.offsets.push(offset);
  if (event.timestamp < group.firstAt) group.firstAt = event.timestamp;
  if (event.timestamp > group.lastAt) group.lastAt = event.timestamp;
  group.levelCounts[rank.get(event.level)!]!++;
  if (!group.services.includes(event.service)) group.services.push(event.service);
}

/** The document of a group that the record at `closeOffset` closes, as the `closeSequence`th. */
export function toDocument(
  group: Group,
  partition: number,
  closeReason: CloseReason,
  closeOffset: number,
  closeSequence: number,
): Correlation {
  return {
    id: documentId(partition, group.firstOffset),
    correlationId: group.correlationId,
    kind: group.kind,
    revision: group.revision,
    closeReason,
    firstAt: group.firstAt,
    lastAt: group.lastAt,
    services: [...group.services],
    levels: countedLevels(group),
    rules: [],
    severity: null,
    partition,
    firstOffset: group.firstOffset,
    closeOffset,
    closeSequence,
    firstClosedAt: group.firstClosedAt!,
    memberDeltas: memberDeltas(group.offsets),
    ...correlationDefaults,
  };
}

function countedLevels(group: Group): Record<string, number> {
  const counted: Record<string, number> = {};
  levels.forEach((level, i) => {
    const count = group.levelCounts[i]!;
    if (count > 0) counted[level] = count;
  });
  return counted;
}

/** The group as it was when the document was written: the inverse of toDocument. */
export function fromDocument(document: Correlation): Group {
  return {
    correlationId: document.correlationId,
    kind: document.kind,
    firstOffset: document.firstOffset,
    offsets: memberOffsets(document),
    services: [...document.services],
    levelCounts: levels.map((level) => document.levels[level] ?? 0),
    firstAt: document.firstAt,
    lastAt: document.lastAt,
    revision: document.revision,
    openedAt: 0,
    activeAt: 0,
    firstClosedAt: document.firstClosedAt,
    created: null,
    idle: null,
    age: null,
    grace: null,
  };
}

function documentId(partition: number, firstOffset: number): string {
  return `${partition}-${firstOffset}`;
}
