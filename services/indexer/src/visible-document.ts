import { memberDeltas, type Correlation, type PlacedEvent } from '@logloom/schemas';

/** As many as a document of the correlator names. */
const maxIds = 32;

/**
 * The document of a request as it is for somebody who may see these members only (at least one, in time order): nothing in it depends
 * on another member. So it has no severity, labels, rules and shape, which were judged from all of them, and its revision, which has to
 * grow when a member is added, is their number (docs/adr, 22).
 */
export function visibleDocument(whole: Correlation, members: readonly PlacedEvent[]): Correlation {
  const inOrder = members.toSorted((a, b) => a.offset - b.offset);
  const first = inOrder[0]!;
  const last = inOrder.at(-1)!;
  const levels: Record<string, number> = {};
  const ids = new Set<string>();
  for (const { level, traceId, attributes } of inOrder) {
    levels[level] = (levels[level] ?? 0) + 1;
    if (traceId !== null) ids.add(traceId);
    for (const id of otherIds(attributes)) ids.add(id);
  }
  ids.delete(whole.correlationId);
  return {
    id: visibleId(whole.id, first.offset),
    correlationId: whole.correlationId,
    kind: first.correlationKind ?? 'correlationId',
    revision: inOrder.length,
    closeReason: 'idle',
    firstAt: members[0]!.timestamp,
    lastAt: members.at(-1)!.timestamp,
    services: [...new Set(inOrder.map(({ service }) => service))],
    levels,
    rules: [],
    severity: null,
    partition: whole.partition,
    firstOffset: first.offset,
    closeOffset: last.offset,
    closeSequence: 0,
    firstClosedAt: 0,
    memberDeltas: memberDeltas(inOrder.map(({ offset }) => offset)),
    rulesVersion: '',
    labels: {},
    alerts: [],
    final: false,
    closedAt: 0,
    ids: [...ids].slice(0, maxIds),
    shape: '',
  };
}

/** Where a document's id says that its first member is; undefined where a text is no such id. */
export function placeInId(id: string): { partition: number; offset: number } | undefined {
  const [, partition, offset] = /(?:^|-)(\d{1,9})-(\d{1,15})$/.exec(id) ?? [];
  return offset === undefined ? undefined : { partition: Number(partition), offset: Number(offset) };
}

/** A document's id ends in the offset of its first member. */
function visibleId(id: string, firstOffset: number): string {
  return id.replace(/\d+$/, String(firstOffset));
}

/** The attributes as far as a document tells of them. */
export function idsOnly(attributes: string): string {
  if (!attributes.includes('"requestId"') && !attributes.includes('"sessionId"')) return '{}';
  const { requestId, sessionId } = JSON.parse(attributes) as Record<string, unknown>;
  return JSON.stringify({ requestId, sessionId });
}

/** The ids that have no field of their own in an event, as ingest writes them among the attributes. */
function otherIds(attributes: string): string[] {
  if (!attributes.includes('"requestId"') && !attributes.includes('"sessionId"')) return [];
  const { requestId, sessionId } = JSON.parse(attributes) as Record<string, unknown>;
  return [requestId, sessionId].filter(
    (id) => typeof id === 'string' && id !== '' && id.length <= 256,
  ) as string[];
}
