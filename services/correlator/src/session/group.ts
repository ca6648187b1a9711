import type { RuleSet } from '@logloom/rules';
import {
  levels,
  memberDeltas,
  placeId,
  type CloseReason,
  type Correlation,
  type Level,
  type LogEvent,
} from '@logloom/schemas';
import { GroupRules } from './group-rules.ts';
import type { QueueNode } from './linked-queue.ts';
import { addIds } from './member-ids.ts';
import { shapeOf, templateHash } from './message-shape.ts';

/** What the correlator reads of a log event; the serde skips the rest. Rules ask for `host` and `spanId` too. */
export type MemberEvent = Omit<LogEvent, 'receivedAt'>;

/** A group of so many templates is like others that have the same first ones. */
const maxTemplates = 64;

/** The events of one correlation id, from the first one until its grace time is over. */
export interface Group {
  readonly correlationId: string;
  readonly kind: string;
  readonly firstOffset: number;
  /** The members' offsets, ascending. */
  readonly offsets: number[];
  services: readonly string[];
  /** Members per level, by the level's rank. */
  readonly levelCounts: number[];
  /** The ids of its members other than its own; null where there are none. */
  ids: string[] | null;
  /** The hashes of its members' templates. */
  templates: readonly number[];
  /** null where none are in force. */
  readonly rules: GroupRules | null;
  /** What it takes in memory, by estimate: a function of its members alone. Without what its rules hold. */
  bytes: number;
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

/** What a group takes before its first member: itself, its places in the queues, the map's entry (bench/correlator.ts measures it). */
const bytesPerGroup = 900;
/** A number in a list that grows by halves. */
const bytesPerNumber = 12;
/** A text on the heap, beside its characters. */
const bytesPerText = 40;

/** What a text takes, whatever its characters are. */
export function textBytes(text: string): number {
  return bytesPerText + 2 * text.length;
}

/** An empty list has no room of its own, and one that was pushed to has room for 17: most groups need one or two. */
const none: readonly never[] = [];

/** An empty group that its first event is about to join. */
export function openGroup(
  event: MemberEvent,
  correlationId: string,
  offset: number,
  rules: RuleSet | null,
): Group {
  return {
    correlationId,
    kind: event.correlationKind ?? 'correlationId',
    firstOffset: offset,
    offsets: [],
    services: none,
    levelCounts: levels.map(() => 0),
    ids: null,
    templates: none,
    rules: rules === null ? null : new GroupRules(rules),
    bytes: bytesPerGroup + textBytes(correlationId),
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
  group.bytes += bytesPerNumber;
  if (event.timestamp < group.firstAt) group.firstAt = event.timestamp;
  if (event.timestamp > group.lastAt) group.lastAt = event.timestamp;
  group.levelCounts[rank.get(event.level)!]!++;
  if (!group.services.includes(event.service)) {
    group.services = group.services.concat(event.service);
    group.bytes += textBytes(event.service);
  }
  const known = group.ids?.length ?? 0;
  group.ids = addIds(group.ids, group.correlationId, event);
  for (let i = known; i < (group.ids?.length ?? 0); i++) group.bytes += textBytes(group.ids![i]!);
  if (group.templates.length < maxTemplates) {
    const template = templateHash(event.service, event.message);
    if (!group.templates.includes(template)) {
      group.templates = group.templates.concat(template);
      group.bytes += bytesPerNumber;
    }
  }
}

/** The document of a group that the record at `offset` closes, as the `sequence`th, at that time of the log's clock. */
export function toDocument(
  group: Group,
  { epoch, partition }: { epoch: string; partition: number },
  {
    reason,
    final,
    offset,
    sequence,
    clock,
  }: { reason: CloseReason; final: boolean; offset: number; sequence: number; clock: number },
): Correlation {
  return {
    id: placeId(epoch, partition, group.firstOffset),
    correlationId: group.correlationId,
    kind: group.kind,
    revision: group.revision,
    closeReason: reason,
    firstAt: group.firstAt,
    lastAt: group.lastAt,
    services: [...group.services],
    levels: countedLevels(group),
    rules: group.rules?.matched.map(({ name }) => name) ?? [],
    severity: group.rules?.severity ?? null,
    partition,
    firstOffset: group.firstOffset,
    closeOffset: offset,
    closeSequence: sequence,
    firstClosedAt: group.firstClosedAt!,
    memberDeltas: memberDeltas(group.offsets),
    rulesVersion: group.rules?.set.version ?? '',
    labels: group.rules?.labels ?? {},
    alerts: group.rules?.newAlerts.map(({ name }) => name) ?? [],
    final,
    closedAt: clock,
    ids: group.ids === null ? [] : [...group.ids],
    shape: shapeOf(group.templates),
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
