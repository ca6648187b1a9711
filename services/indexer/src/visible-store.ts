import { compileCorrelationAccess } from '@logloom/auth';
import {
  attributeValues,
  compilePredicate,
  FilterSubject,
  type Filter,
  type Predicate,
} from '@logloom/filter';
import type { Correlation, PlacedEvent } from '@logloom/schemas';
import {
  SearchStoreError,
  type CorrelationsPage,
  type CorrelationsQuery,
  type FoundEvent,
  type SearchStore,
} from '@logloom/search-store';
import { correlationEvents, type CorrelationEventsDeps } from './correlation-events.ts';
import { relatedRequests, type RelatedRequest } from './related-requests.ts';
import { requestAnomalies, type RequestAnomaly } from './request-anomaly.ts';

export interface VisibleStoreDeps extends CorrelationEventsDeps {
  search: SearchStore;
}

/** A request looks at so many documents at most; the next page goes on behind them. */
const maxLookedAt = 500;
/** The attributes' names are those of so many of the newest events. */
const sampledEvents = 1_000;
const maxFields = 500;

/**
 * The stores as the holder of an imposed filter may see them; without a filter, as they are. A document is seen by who may see all
 * of its members: it tells of each of them.
 */
export class VisibleStore {
  readonly #deps: VisibleStoreDeps;
  readonly #filter: Filter | undefined;
  readonly #matches: Predicate;
  readonly #maySee: ReturnType<typeof compileCorrelationAccess>;

  constructor(deps: VisibleStoreDeps, filter: Filter | undefined) {
    this.#deps = deps;
    this.#filter = filter;
    this.#matches = filter === undefined ? () => true : compilePredicate(filter);
    this.#maySee = filter === undefined ? () => true : compileCorrelationAccess(filter);
  }

  async event(id: string): Promise<FoundEvent | undefined> {
    const event = await this.#deps.search.event(id);
    return event !== undefined && this.#isVisible(event) ? event : undefined;
  }

  /** The names of the fields: of attributes only those that visible events have. */
  async fields(): Promise<string[]> {
    const { search } = this.#deps;
    const names = await search.fields();
    if (this.#filter === undefined) return names;
    const paths = new Set<string>();
    const { events } = await search.search({ filter: this.#filter, limit: sampledEvents, order: 'desc' });
    for (const { attributes } of events)
      for (const path of attributeValues(attributes).keys()) paths.add(`attributes.${path}`);
    return [
      ...names.filter((name) => !name.startsWith('attributes.')),
      ...[...paths].sort().slice(0, maxFields),
    ];
  }

  /** The document, under its id, its correlation id or another id that it carries, with its members. */
  async correlation(id: string): Promise<{ document: Correlation; events: PlacedEvent[] } | undefined> {
    const { search } = this.#deps;
    const byId = await search.correlation(id);
    const candidates = byId === undefined ? await this.#documentsOf(id) : [byId];
    for (const document of candidates) {
      if (this.#maySee(document) === false) continue;
      const events = await correlationEvents(this.#deps, document);
      if (this.#maySee(document) === true || this.#areVisible(document, events)) return { document, events };
    }
    return undefined;
  }

  /**
   * As SearchStore.correlations(), with a total that counts this page only. The cursor is one of its own: the store's would tell how
   * many documents others have.
   */
  async correlations(query: CorrelationsQuery): Promise<CorrelationsPage> {
    const { search } = this.#deps;
    if (this.#filter === undefined) return search.correlations(query);
    const { limit, cursor, ...rest } = query;
    const start = cursor === undefined ? undefined : decodePlace(cursor);
    const toMicros = Math.min(query.toMicros ?? Infinity, (start?.micros ?? Infinity) + 1);
    const correlations: Correlation[] = [];
    // Where it looked last: documents of that microsecond, which the next page must not give again.
    let place: Place = start ?? { micros: Infinity, ids: [] };
    let storeCursor: string | undefined;
    for (let lookedAt = 0; ;) {
      const page = await search.correlations({
        ...rest,
        // What was given already comes once more.
        limit: limit - correlations.length + (storeCursor === undefined ? place.ids.length : 0),
        cursor: storeCursor,
        toMicros: toMicros === Infinity ? undefined : toMicros,
      });
      for (const document of page.correlations) {
        lookedAt++;
        const { id, firstAt } = document;
        if (firstAt !== place.micros) place = { micros: firstAt, ids: [] };
        else if (place.ids.includes(id)) continue;
        place.ids.push(id);
        if (await this.#isWholeVisible(document)) correlations.push(document);
      }
      const isFirst = cursor === undefined;
      if (page.next === undefined)
        return { total: { value: correlations.length, exact: isFirst }, correlations };
      if (correlations.length >= limit || lookedAt >= maxLookedAt)
        return {
          total: { value: correlations.length, exact: false },
          correlations,
          next: encodePlace(place),
        };
      storeCursor = page.next;
    }
  }

  /** The documents that share an id with this one. */
  async related(document: Correlation): Promise<RelatedRequest[]> {
    const all = await relatedRequests(this.#deps.search, document);
    if (this.#filter === undefined) return all;
    const visible: RelatedRequest[] = [];
    for (const each of all) {
      const other = await this.#deps.search.correlation(each.id);
      if (other !== undefined && (await this.#isWholeVisible(other))) visible.push(each);
    }
    return visible;
  }

  /** How rare each document's shape is among all; unknown to who may not count all. */
  async anomalies(documents: readonly Correlation[]): Promise<(RequestAnomaly | undefined)[]> {
    return this.#filter === undefined
      ? requestAnomalies(this.#deps.search, documents)
      : documents.map(() => undefined);
  }

  async #documentsOf(id: string): Promise<Correlation[]> {
    const { search } = this.#deps;
    const own = await search.correlationsById(id);
    if (own.length > 0) return own;
    return search.correlationsByIds([id], this.#filter === undefined ? 1 : maxLookedAt);
  }

  async #isWholeVisible(document: Correlation): Promise<boolean> {
    return (
      this.#maySee(document) ?? this.#areVisible(document, await correlationEvents(this.#deps, document))
    );
  }

  /** A member that is gone cannot be looked at. */
  #areVisible(document: Correlation, events: readonly PlacedEvent[]): boolean {
    return events.length === document.memberDeltas.length && events.every((event) => this.#isVisible(event));
  }

  #isVisible(event: FoundEvent): boolean {
    return this.#matches(new FilterSubject(event as PlacedEvent));
  }
}

interface Place {
  micros: number;
  ids: string[];
}

function encodePlace({ micros, ids }: Place): string {
  return Buffer.from(JSON.stringify([micros, ...ids])).toString('base64url');
}

function decodePlace(text: string): Place {
  let fields: unknown;
  try {
    fields = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    fields = undefined;
  }
  const [micros, ...ids] = Array.isArray(fields) ? (fields as unknown[]) : [];
  if (!Number.isSafeInteger(micros) || ids.length > 1_000 || !ids.every((id) => typeof id === 'string'))
    throw new SearchStoreError('bad-cursor', 'this is no cursor that a search gave');
  return { micros: micros as number, ids };
}
