import { formatMicros, placeId } from './event.ts';
import type { Correlation, ForwardedMember } from './generated/types.ts';

/** The members' offsets in logs.events, ascending. */
export function memberOffsets(c: Pick<Correlation, 'firstOffset' | 'memberDeltas'>): number[] {
  let offset = c.firstOffset;
  return c.memberDeltas.map((delta) => (offset += delta));
}

/**
 * Sets the id of a decoded document to its place. Documents of older releases have other ids in the log; this way their new revisions have
 * the same id. Changes its argument.
 */
export function placeCorrelation(document: Correlation, epoch: string): Correlation {
  document.id = placeId(epoch, document.partition, document.firstOffset);
  return document;
}

/** The inverse of memberOffsets; `offsets` ascending, not empty. */
export function memberDeltas(offsets: readonly number[]): number[] {
  return offsets.map((offset, i) => offset - offsets[Math.max(0, i - 1)]!);
}

/** A member's place in logs.events. */
export interface MemberPlace {
  partition: number;
  offset: number;
}

/** A member of a document. */
export interface DocumentMemberPlace extends MemberPlace {
  /** The offset, in the document's partition, of its record or of the one that stands for it. */
  at: number;
}

/**
 * The members' places, in the order in which the document got them. Those that ids brought that joined the request are in other places than
 * memberOffsets() says, which are those of the records that stand for them.
 */
export function memberPlaces(
  document: Pick<Correlation, 'partition' | 'firstOffset' | 'memberDeltas'> &
    Partial<Pick<Correlation, 'forwarded'>>,
): DocumentMemberPlace[] {
  const { partition, forwarded = [] } = document;
  let next = 0;
  return memberOffsets(document).map((offset) => {
    const place = forwarded[next];
    if (place?.at !== offset) return { at: offset, partition, offset };
    next++;
    return { at: offset, partition: place.partition, offset: place.offset };
  });
}

/** The values that a document of version 1 has for the fields that were added later. Stores keep documents as they were written. */
export const correlationDefaults = {
  rulesVersion: '',
  labels: {} as Record<string, string>,
  alerts: [] as string[],
  final: false,
  closedAt: 0,
  ids: [] as string[],
  shape: '',
  backfill: false,
  joinedInto: null as string | null,
  forwarded: [] as ForwardedMember[],
  joinLimited: false,
} satisfies Partial<Correlation>;

/** A correlation document in the form of search results and live messages (docs/api/schemas/correlation.schema.json). */
export interface CorrelationJson {
  id: string;
  correlationId: string;
  kind: string;
  revision: number;
  closeReason: Correlation['closeReason'];
  firstAt: string;
  lastAt: string;
  durationMs: number;
  eventCount: number;
  services: string[];
  levels: Record<string, number>;
  errorCount: number;
  rules: string[];
  severity?: string;
  labels: Record<string, string>;
  /** Absent if no rules were in force. */
  rulesVersion?: string;
  /** Every id that finds it, its correlationId first. */
  ids: string[];
  shape?: string;
  /** Whether its members were sent as a backfill. */
  backfill?: true;
  partition: number;
  firstOffset: number;
  closeOffset: number;
  /** The offsets of its members in its partition. */
  members: number[];
  /** Its members in other partitions, which have other ids; absent without any. */
  membersElsewhere?: { partition: number; members: number[] }[];
  /** The request that has its members now; absent in all others. */
  joinedInto?: string;
  /** Present if its id joined too many requests, and joins no more. */
  joinLimited?: true;
}

/** The document in JSON: counts and duration are derived here, so they cannot disagree with the members. */
export function correlationToJson(document: Correlation): CorrelationJson {
  const c = { ...correlationDefaults, ...document };
  return {
    id: c.id,
    correlationId: c.correlationId,
    kind: c.kind,
    revision: c.revision,
    closeReason: c.closeReason,
    firstAt: formatMicros(c.firstAt),
    lastAt: formatMicros(c.lastAt),
    durationMs: (c.lastAt - c.firstAt) / 1000,
    eventCount: c.memberDeltas.length,
    services: c.services,
    levels: c.levels,
    errorCount: (c.levels['error'] ?? 0) + (c.levels['fatal'] ?? 0),
    rules: c.rules,
    ...(c.severity === null ? {} : { severity: c.severity }),
    labels: c.labels,
    ...(c.rulesVersion === '' ? {} : { rulesVersion: c.rulesVersion }),
    ids: [c.correlationId, ...c.ids],
    ...(c.shape === '' ? {} : { shape: c.shape }),
    ...(c.backfill ? { backfill: true } : {}),
    partition: c.partition,
    firstOffset: c.firstOffset,
    closeOffset: c.closeOffset,
    ...membersByPartition(c),
    ...(c.joinedInto === null ? {} : { joinedInto: c.joinedInto }),
    ...(c.joinLimited ? { joinLimited: true } : {}),
  };
}

function membersByPartition(document: Correlation): Pick<CorrelationJson, 'members' | 'membersElsewhere'> {
  if (document.forwarded.length === 0) return { members: memberOffsets(document) };
  const byPartition = new Map<number, number[]>([[document.partition, []]]);
  for (const { partition, offset } of memberPlaces(document)) {
    const offsets = byPartition.get(partition);
    if (offsets === undefined) byPartition.set(partition, [offset]);
    else offsets.push(offset);
  }
  const sorted = [...byPartition]
    .map(([partition, offsets]) => ({ partition, members: offsets.sort((a, b) => a - b) }))
    .sort((a, b) => a.partition - b.partition);
  const elsewhere = sorted.filter(({ partition }) => partition !== document.partition);
  return {
    members: byPartition.get(document.partition)!,
    ...(elsewhere.length === 0 ? {} : { membersElsewhere: elsewhere }),
  };
}
