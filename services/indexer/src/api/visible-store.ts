import { visibleDocumentJson } from '@logloom/auth';
import { attributeValues, type Filter, type FilterNode } from '@logloom/filter';
import { correlationToJson, type Correlation, type CorrelationJson } from '@logloom/schemas';
import {
  RequestGroups,
  type Aggregate,
  type AggregateQuery,
  type CorrelationsPage,
  type CorrelationsQuery,
  type FoundEvent,
  type GroupRequestsQuery,
  type Histogram,
  type HistogramQuery,
  type RequestGroupsResult,
} from '@logloom/search-store';
import {
  correlationEventsPage,
  type MembersPage,
  type MembersPageOptions,
} from '../requests/correlation-events.ts';
import { partsOf, wholeOf } from '../requests/request-parts.ts';
import { relatedRequests, type RelatedRequest } from '../requests/related-requests.ts';
import { compareRequests, type RequestComparison } from '../requests/request-comparison.ts';
import { VisibleDocuments, type VisibleDocumentsDeps } from './visible-documents.ts';

export type VisibleStoreDeps = VisibleDocumentsDeps;

/** A request with a page of its members; `document` is made of all its parts. */
export interface WholeRequest extends MembersPage {
  document: Correlation;
  /** The documents in which it was written, in the order of the log. */
  parts: readonly Correlation[];
}

/** The names of attributes come from this many of the newest events. */
const sampledEvents = 1_000;
const maxFields = 500;
/** Events of a request that are looked at for the one that began it: late ones are earlier by their own time. */
const firstEvents = 10;
/** The most documents of a principal that are grouped; loading them costs more than counting. */
const maxGrouped = 1_000;

/**
 * The stores as a principal with an imposed filter may see them; without a filter, unchanged. Results depend only on events that the
 * principal may see (docs/adr, 22).
 */
export class VisibleStore {
  readonly #deps: VisibleStoreDeps;
  readonly #filter: Filter | undefined;
  readonly #documents: VisibleDocuments | undefined;

  constructor(deps: VisibleStoreDeps, filter: Filter | undefined) {
    this.#deps = deps;
    this.#filter = filter;
    this.#documents = filter && new VisibleDocuments(deps, filter);
  }

  async event(id: string): Promise<FoundEvent | undefined> {
    const event = await this.#deps.search.event(id);
    return event !== undefined && (this.#documents?.isVisible(event) ?? true) ? event : undefined;
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

  /**
   * Like SearchStore.histogram(), with a filter that is restricted to the principal already; its range is that of the principal's events.
   */
  async histogram(query: HistogramQuery): Promise<Histogram> {
    return this.#deps.search.histogram({ ...query, scope: this.#filter });
  }

  /** Like SearchStore.aggregate(), as histogram(). */
  async aggregate(query: AggregateQuery): Promise<Aggregate> {
    return this.#deps.search.aggregate({ ...query, scope: this.#filter });
  }

  /** The request, under the id of one of its documents, its correlation id or another id that it carries, with a page of its members. */
  async correlation(id: string, page: MembersPageOptions): Promise<WholeRequest | undefined> {
    if (this.#documents !== undefined) {
      const found = await this.#documents.find(id);
      if (found === undefined) return undefined;
      const { request, parts } = await this.#documents.whole(found, id);
      return { document: request.document, parts, ...(await this.#documents.members(request, page)) };
    }
    const { search } = this.#deps;
    const document =
      (await search.correlation(id)) ??
      (await search.correlationsById(id))[0] ??
      (await search.correlationsByIds([id], 1))[0] ??
      (await this.#joinedUnder(id)) ??
      (await this.#joinedByEventsOf(id));
    if (document === undefined) return undefined;
    const parts = partsOf(document, await search.correlationsById(document.correlationId));
    const whole = wholeOf(parts, id);
    return { document: whole, parts, ...(await correlationEventsPage(this.#deps, whole, page)) };
  }

  /** The document that has the members of the one with this id, if its correlation id joined another one. */
  async #joinedUnder(id: string): Promise<Correlation | undefined> {
    const { archive, search } = this.#deps;
    const into = (await archive.correlation(id))?.joinedInto;
    if (into === null || into === undefined) return undefined;
    return (await search.correlationsById(into))[0] ?? (await search.correlationsByIds([into], 1))[0];
  }

  /** The document that events with this correlation id joined: a document lists only so many of the ids that joined it. */
  async #joinedByEventsOf(id: string): Promise<Correlation | undefined> {
    const ast: FilterNode = { type: 'keyword', field: 'correlationId', match: { type: 'equals', value: id } };
    const filter = { ast, canonical: '' };
    // The document of an id that joined has the id of its first event.
    const { events } = await this.#deps.search.search({ filter, order: 'asc', limit: firstEvents });
    for (const event of events) {
      const document = await this.#joinedUnder(event.id);
      if (document !== undefined) return document;
    }
    return undefined;
  }

  /** As SearchStore.correlations(); for a principal, of the documents as its events make them, with a total that counts the page. */
  async correlations(query: CorrelationsQuery): Promise<CorrelationsPage> {
    return this.#documents?.page(query) ?? this.#deps.search.correlations(query);
  }

  /** The document as JSON. A principal does not see why it closed, which another principal's events may have caused. */
  documentJson(document: Correlation): Omit<CorrelationJson, 'closeReason'> & Partial<CorrelationJson> {
    return this.#documents === undefined ? correlationToJson(document) : visibleDocumentJson(document);
  }

  /** The documents that share an id with this one. */
  async related(document: Correlation): Promise<RelatedRequest[]> {
    return this.#documents?.related(document) ?? relatedRequests(this.#deps.search, document);
  }

  /** Each document beside earlier ones of its shape; undefined for a principal, who may not count all. */
  async comparisons(documents: readonly Correlation[]): Promise<(RequestComparison | undefined)[]> {
    return this.#filter === undefined
      ? compareRequests(this.#deps.search, documents)
      : documents.map(() => undefined);
  }

  /**
   * As SearchStore.groupRequests(); for a principal, of the latest documents as its events make them, which have no shapes: by shape they
   * are grouped by all their services. `complete` says whether there are more.
   */
  async groupRequests(
    query: GroupRequestsQuery,
  ): Promise<RequestGroupsResult<Correlation> & { complete: boolean }> {
    if (this.#documents === undefined)
      return { ...(await this.#deps.search.groupRequests(query)), complete: true };
    const { by, limit, ...rest } = query;
    const page = await this.#documents.page({ ...rest, limit: maxGrouped });
    const groups = new RequestGroups<Correlation>();
    for (const document of page.correlations)
      groups.add({
        keys: by === 'service' ? document.services : [document.services.toSorted().join(' ')],
        firstAt: document.firstAt,
        durationMs: (document.lastAt - document.firstAt) / 1000,
        hasErrors: correlationToJson(document).errorCount > 0,
        place: document,
      });
    return { ...groups.result(limit), complete: page.next === undefined };
  }
}
