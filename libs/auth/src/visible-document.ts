import {
  correlationToJson,
  memberDeltas,
  type Correlation,
  type CorrelationJson,
  type ForwardedMember,
  type MemberPlace,
  type PlacedEvent,
} from '@logloom/schemas';

/** As many as a document of the correlator names. */
const maxIds = 32;

/** The fields of a member that a document contains. */
export type DocumentMember = Pick<
  PlacedEvent,
  | 'partition'
  | 'offset'
  | 'timestamp'
  | 'level'
  | 'service'
  | 'correlationId'
  | 'correlationKind'
  | 'traceId'
  | 'attributes'
>;

/**
 * Makes the document of a request for a principal who may see only some of its members: nothing in it depends on the others. So it has no
 * severity, labels, rules and shape, which depend on all members. Its revision, which has to grow when a member is added, is the number of
 * visible members (docs/adr, 22). Takes one member at a time and keeps no events.
 */
export class VisibleDocument {
  readonly #correlationId: string;
  readonly #offsets: number[] = [];
  readonly #forwarded: ForwardedMember[] = [];
  readonly #services = new Set<string>();
  readonly #levels: Record<string, number> = {};
  readonly #ids = new Set<string>();
  #kind = '';
  /** Whether a visible member has the document's own id. */
  #hasOwnId = false;
  #firstAt = Infinity;
  #lastAt = -Infinity;

  constructor(correlationId: string) {
    this.#correlationId = correlationId;
  }

  get isEmpty(): boolean {
    return this.#offsets.length === 0;
  }

  /**
   * Takes the next visible member. `at` is the offset of the record that stands for it, if it was forwarded, and ascends, as the offsets of
   * the others do.
   */
  add(member: DocumentMember, at?: number): void {
    const { partition, offset, timestamp, level, service, correlationId, correlationKind } = member;
    const { traceId, attributes } = member;
    const isOwn = correlationId === null || correlationId === this.#correlationId;
    if (this.isEmpty || (isOwn && !this.#hasOwnId)) this.#kind = correlationKind ?? 'correlationId';
    this.#offsets.push(at ?? offset);
    if (at !== undefined) this.#forwarded.push({ at, partition, offset });
    if (isOwn) this.#hasOwnId = true;
    else this.#addId(correlationId);
    this.#services.add(service);
    this.#levels[level] = (this.#levels[level] ?? 0) + 1;
    if (timestamp < this.#firstAt) this.#firstAt = timestamp;
    if (timestamp > this.#lastAt) this.#lastAt = timestamp;
    if (traceId !== null) this.#addId(traceId);
    for (const id of otherIds(attributes)) this.#addId(id);
  }

  /** The document; `whole` is the document in the log. Throws if there is no member. */
  build(whole: Pick<Correlation, 'id' | 'correlationId' | 'partition' | 'backfill'>): Correlation {
    const firstOffset = this.#offsets[0];
    if (firstOffset === undefined) throw new Error('a document has at least one member');
    const [first] = this.#ids;
    // The id of a request that others joined may be in events alone that the principal may not see.
    const correlationId = this.#hasOwnId ? whole.correlationId : (first ?? whole.correlationId);
    return {
      id: visibleId(whole.id, firstOffset),
      correlationId,
      kind: this.#kind,
      revision: this.#offsets.length,
      closeReason: 'idle',
      firstAt: this.#firstAt,
      lastAt: this.#lastAt,
      services: [...this.#services],
      levels: this.#levels,
      rules: [],
      severity: null,
      partition: whole.partition,
      firstOffset,
      closeOffset: this.#offsets.at(-1)!,
      closeSequence: 0,
      firstClosedAt: 0,
      memberDeltas: memberDeltas(this.#offsets),
      rulesVersion: '',
      labels: {},
      alerts: [],
      final: false,
      closedAt: 0,
      ids: [...this.#ids].filter((id) => id !== correlationId),
      shape: '',
      backfill: whole.backfill === true,
      joinedInto: null,
      forwarded: this.#forwarded,
      joinLimited: false,
    };
  }

  #addId(id: string): void {
    if (id === this.#correlationId) this.#hasOwnId = true;
    else if (this.#ids.size < maxIds) this.#ids.add(id);
  }
}

/** The document that VisibleDocument makes of these members (at least one), in any order. */
export function visibleDocument(whole: Correlation, members: readonly DocumentMember[]): Correlation {
  const visible = new VisibleDocument(whole.correlationId);
  for (const { member, at } of placedIn(whole, members)) visible.add(member, at);
  return visible.build(whole);
}

/** The members in the order of the document, with the offset of the record that stands for one that was forwarded. */
export function placedIn<M extends MemberPlace>(
  whole: Correlation,
  members: readonly M[],
): { member: M; at: number | undefined }[] {
  const standIns = new Map(
    (whole.forwarded ?? []).map(({ at, partition, offset }) => [`${partition}/${offset}`, at]),
  );
  return members
    .map((member) => ({ member, at: standIns.get(`${member.partition}/${member.offset}`) }))
    .sort((a, b) => (a.at ?? a.member.offset) - (b.at ?? b.member.offset));
}

/** A visible document in JSON, without the close reason, which depends on all members. */
export function visibleDocumentJson(document: Correlation): Omit<CorrelationJson, 'closeReason'> {
  const { closeReason: _, ...json } = correlationToJson(document);
  return json;
}

/** A document's id ends in the offset of its first member. */
function visibleId(id: string, firstOffset: number): string {
  return id.replace(/\d+$/, String(firstOffset));
}

/** The attributes that a document contains. */
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
