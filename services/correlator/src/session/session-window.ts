import type { RuleSet } from '@logloom/rules';
import {
  levels,
  loadtestKind,
  memberDeltas,
  placeId,
  type CloseReason,
  type Correlation,
  type ForwardedMember,
  type Level,
  type LogEvent,
  type MemberPlace,
} from '@logloom/schemas';
import type { QueueNode } from './linked-queue.ts';
import type { JoinLink } from '../join/join-effects.ts';
import type { Redirect } from '../join/redirects.ts';
import { addIds } from './member-ids.ts';
import { shapeOf, templateHash } from './message-shape.ts';
import { SessionRules } from './session-rules.ts';

/** The fields of a log event that the correlator reads; the serde skips the rest. Rules also need `host` and `spanId`. */
export type MemberEvent = Omit<LogEvent, 'receivedAt'>;

/** At most this many templates count for the shape: sessions with the same first ones have the same shape. */
const maxTemplates = 64;

/** The events of one correlation id, from the first one until its grace time is over. */
export interface SessionWindow {
  readonly correlationId: string;
  readonly kind: string;
  /** Whether its members were sent as a backfill. */
  readonly isBackfill: boolean;
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
  readonly rules: SessionRules | null;
  /** Its estimated memory in bytes, a function of its members alone, without that of its rules. */
  bytes: number;
  /** The first and last timestamps of its events, microseconds since 1970. */
  firstAtMicros: number;
  lastAtMicros: number;
  /** Its members that are events of other places; null where there are none. */
  forwarded: ForwardedMember[] | null;
  /** The request that its members are forwarded to, and the kind of its id; null where they stay. */
  joinedInto: Pick<JoinLink, 'into' | 'kind'> | null;
  /** Whether its members were forwarded; false also if only a document says where they went. */
  isForwarding: boolean;
  /** The oldest link that decided where its members go. */
  link: Redirect | null;
  /** Whether it stays what it is, whatever links come. */
  pinned: boolean;
  /** Revisions written so far. */
  revision: number;
  /** The log's clock (ms) when it opened, or opened again. */
  openedAtMs: number;
  /** The log's clock (ms) at its last event. */
  activeAtMs: number;
  /** The log's clock (ms) at its first close; null before. */
  firstClosedAtMs: number | null;
  // Its places in the queues of correlate.ts; null where it is in none.
  created: QueueNode<SessionWindow> | null;
  idle: QueueNode<SessionWindow> | null;
  age: QueueNode<SessionWindow> | null;
  grace: QueueNode<SessionWindow> | null;
}

/** The memory of a session before its first member: itself, its places in the queues, the map's entry (bench/correlator.ts measures it). */
const bytesPerSession = 900;
/** A number in a list that grows by halves. */
const bytesPerNumber = 12;
/** A member that was forwarded: three numbers and their object. */
const bytesPerForwarded = 64;
/** A text on the heap, beside its characters. */
const bytesPerText = 40;

/** The memory of a text, whatever its characters are. */
export function textBytes(text: string): number {
  return bytesPerText + 2 * text.length;
}

/** An empty list needs no memory, and the first push allocates room for 17: most sessions need one or two. */
const none: readonly never[] = [];

/**
 * Which events share a session: those of one correlation id. An event of a load test never joins a session of other events that have the
 * same id, nor the other way round: it would hide their document. Nor does a backfilled event: it would hold up their document.
 */
export function sessionKey(correlationId: string, kind: string | null, isBackfill: boolean): string {
  const key = kind === loadtestKind ? `${loadtestKind}\0${correlationId}` : correlationId;
  return isBackfill ? `backfill\0${key}` : key;
}

/** An empty session that its first event is about to join. */
export function openSession(
  event: MemberEvent,
  correlationId: string,
  offset: number,
  rules: RuleSet | null,
  isBackfill = false,
  kind = event.correlationKind ?? 'correlationId',
): SessionWindow {
  return {
    correlationId,
    kind,
    isBackfill,
    firstOffset: offset,
    offsets: [],
    services: none,
    levelCounts: levels.map(() => 0),
    ids: null,
    forwarded: null,
    joinedInto: null,
    isForwarding: false,
    link: null,
    pinned: false,
    templates: none,
    rules: rules === null ? null : new SessionRules(rules),
    bytes: bytesPerSession + textBytes(correlationId),
    firstAtMicros: event.timestamp,
    lastAtMicros: event.timestamp,
    revision: 0,
    openedAtMs: 0,
    activeAtMs: 0,
    firstClosedAtMs: null,
    created: null,
    idle: null,
    age: null,
    grace: null,
  };
}

const rank = new Map<Level, number>(levels.map((level, i) => [level, i]));

/** `place` is the event's, if the record at `offset` stands for it. */
export function addMember(
  session: SessionWindow,
  event: MemberEvent,
  offset: number,
  place: MemberPlace | null = null,
  joins = false,
): void {
  session.offsets.push(offset);
  session.bytes += bytesPerNumber;
  if (place !== null) {
    session.forwarded ??= [];
    session.forwarded.push({ at: offset, partition: place.partition, offset: place.offset });
    session.bytes += bytesPerForwarded;
  }
  if (event.timestamp < session.firstAtMicros) session.firstAtMicros = event.timestamp;
  if (event.timestamp > session.lastAtMicros) session.lastAtMicros = event.timestamp;
  session.levelCounts[rank.get(event.level)!]!++;
  if (!session.services.includes(event.service)) {
    session.services = session.services.concat(event.service);
    session.bytes += textBytes(event.service);
  }
  const known = session.ids?.length ?? 0;
  session.ids = addIds(session.ids, session.correlationId, event, joins);
  for (let i = known; i < (session.ids?.length ?? 0); i++) session.bytes += textBytes(session.ids![i]!);
  if (session.templates.length < maxTemplates) {
    const template = templateHash(event.service, event.message);
    if (!session.templates.includes(template)) {
      session.templates = session.templates.concat(template);
      session.bytes += bytesPerNumber;
    }
  }
}

/** The document of a session that the record at `offset` closes, as its `sequence`th, at that time of the log's clock. */
export function toDocument(
  session: SessionWindow,
  { epoch, partition }: { epoch: string; partition: number },
  {
    reason,
    final,
    offset,
    sequence,
    clock,
    joinLimited,
  }: {
    reason: CloseReason;
    final: boolean;
    offset: number;
    sequence: number;
    clock: number;
    joinLimited: boolean;
  },
): Correlation {
  return {
    id: placeId(epoch, partition, session.firstOffset),
    correlationId: session.correlationId,
    kind: session.kind,
    revision: session.revision,
    closeReason: reason,
    firstAt: session.firstAtMicros,
    lastAt: session.lastAtMicros,
    services: [...session.services],
    levels: countedLevels(session),
    rules: session.rules?.matched.map(({ name }) => name) ?? [],
    severity: session.rules?.severity ?? null,
    partition,
    firstOffset: session.firstOffset,
    closeOffset: offset,
    closeSequence: sequence,
    firstClosedAt: session.firstClosedAtMs!,
    memberDeltas: memberDeltas(session.offsets),
    rulesVersion: session.rules?.set.version ?? '',
    labels: session.rules?.labels ?? {},
    alerts: session.rules?.newAlerts.map(({ name }) => name) ?? [],
    final,
    closedAt: clock,
    ids: session.ids === null ? [] : [...session.ids],
    shape: shapeOf(session.templates),
    backfill: session.isBackfill,
    joinedInto: session.joinedInto?.into ?? null,
    forwarded: session.forwarded === null ? [] : [...session.forwarded],
    joinLimited,
  };
}

function countedLevels(session: SessionWindow): Record<string, number> {
  const counted: Record<string, number> = {};
  levels.forEach((level, i) => {
    const count = session.levelCounts[i]!;
    if (count > 0) counted[level] = count;
  });
  return counted;
}
