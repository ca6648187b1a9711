import {
  correlationToJson,
  memberDeltas,
  type Correlation,
  type CorrelationJson,
  type PlacedEvent,
} from '@logloom/schemas';

/** As many as a document of the correlator names. */
const maxIds = 32;

/** What a document tells of a member. */
export type DocumentMember = Pick<
  PlacedEvent,
  'offset' | 'timestamp' | 'level' | 'service' | 'correlationKind' | 'traceId' | 'attributes'
>;

/**
 * Makes the document of a request as it is for a principal who may see some of its members only: nothing in it depends on another
 * member. So it has no severity, labels, rules and shape, which were judged from all of them, and its revision, which has to grow when
 * a member is added, is their number (docs/adr, 22). Takes one member at a time and keeps no events.
 */
export class VisibleDocument {
  readonly #correlationId: string;
  readonly #offsets: number[] = [];
  readonly #services = new Set<string>();
  readonly #levels: Record<string, number> = {};
  readonly #ids = new Set<string>();
  #kind = '';
  #firstAt = Infinity;
  #lastAt = -Infinity;

  constructor(correlationId: string) {
    this.#correlationId = correlationId;
  }

  get isEmpty(): boolean {
    return this.#offsets.length === 0;
  }

  /** Takes the next visible member; their offsets ascend. */
  add({ offset, timestamp, level, service, correlationKind, traceId, attributes }: DocumentMember): void {
    if (this.isEmpty) this.#kind = correlationKind ?? 'correlationId';
    this.#offsets.push(offset);
    this.#services.add(service);
    this.#levels[level] = (this.#levels[level] ?? 0) + 1;
    if (timestamp < this.#firstAt) this.#firstAt = timestamp;
    if (timestamp > this.#lastAt) this.#lastAt = timestamp;
    if (traceId !== null) this.#addId(traceId);
    for (const id of otherIds(attributes)) this.#addId(id);
  }

  /** The document; `whole` is the one that the log has. Throws where there is no member. */
  build(whole: Pick<Correlation, 'id' | 'correlationId' | 'partition'>): Correlation {
    const firstOffset = this.#offsets[0];
    if (firstOffset === undefined) throw new Error('a document has at least one member');
    return {
      id: visibleId(whole.id, firstOffset),
      correlationId: whole.correlationId,
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
      ids: [...this.#ids],
      shape: '',
    };
  }

  #addId(id: string): void {
    if (id !== this.#correlationId && this.#ids.size < maxIds) this.#ids.add(id);
  }
}

/** As VisibleDocument makes it of these members (at least one), in whatever order they come. */
export function visibleDocument(whole: Correlation, members: readonly DocumentMember[]): Correlation {
  const visible = new VisibleDocument(whole.correlationId);
  for (const member of members.toSorted((a, b) => a.offset - b.offset)) visible.add(member);
  return visible.build(whole);
}

/** A visible document as the outside sees it: without why it closed, which follows from all of its members. */
export function visibleDocumentJson(document: Correlation): Omit<CorrelationJson, 'closeReason'> {
  const { closeReason: _, ...json } = correlationToJson(document);
  return json;
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
