import { idsOnly, visibleDocument } from '@logloom/auth';
import {
  aboutCorrelations,
  compilePredicate,
  CorrelationSubject,
  FilterSubject,
  intersect,
  type Filter,
  type FilterNode,
  type Predicate,
} from '@logloom/filter';
import { requestFields } from '@logloom/rules';
import {
  correlationDefaults,
  epochOfId,
  mayBeOfEpoch,
  memberPlaces,
  type Correlation,
  type PlacedEvent,
} from '@logloom/schemas';
import type { CorrelationsPage, CorrelationsQuery, FoundEvent, SearchStore } from '@logloom/search-store';
import {
  behindArchive,
  correlationEventsPage,
  memberBytes,
  type CorrelationEventsDeps,
  type MembersPage,
  type MembersPageOptions,
  type MembersPlace,
} from '../requests/correlation-events.ts';
import { partsOf, wholeOf } from '../requests/request-parts.ts';
import { relatedTo, type RelatedRequest } from '../requests/related-requests.ts';
import { placeInId } from './place-in-id.ts';

export interface VisibleDocumentsDeps extends CorrelationEventsDeps {
  search: SearchStore;
}

export interface VisibleRequest {
  /** The document as made of the visible members. */
  document: Correlation;
  /** As it is stored. */
  whole: Correlation;
  /** The first visible member in time order. */
  first: Pick<PlacedEvent, 'partition' | 'offset'>;
}

/** How many of the principal's events a request examines, and how many documents it loads; the next page continues after them. */
const maxEvents = 2_000;
const maxLoaded = 500;
/** How many documents of one correlation id are searched for an event's own. */
const documentsPerLook = 20;
const maxLooks = 25;
/** Correlation ids whose documents are loaded at the same time. */
const atOnce = 8;
const maxRelated = 50;
const maxLookUps = 200;
/** Parts of one request, and how many events are examined to find them. */
const maxParts = 50;
const maxPartEvents = 20_000;
const partEvents = 1_000;
/** Members are read in pages of this many bytes, and only the data for the document is kept. */
const stepBytes = 4 * 2 ** 20;

const fields = [...requestFields, 'timestamp', 'partition'];

/**
 * The requests of a principal who may see the events of a filter, found by those events and made of them alone: other principals' events
 * and requests change neither which ones are found, nor their order, nor where a page ends.
 */
export class VisibleDocuments {
  readonly #deps: VisibleDocumentsDeps;
  readonly #imposed: Filter;
  readonly #matches: Predicate;
  /** The loaded documents, by correlation id. */
  readonly #loaded = new Map<string, VisibleRequest[]>();
  #loadedCount = 0;

  constructor(deps: VisibleDocumentsDeps, imposed: Filter) {
    this.#deps = deps;
    this.#imposed = imposed;
    this.#matches = compilePredicate(imposed);
  }

  /**
   * As SearchStore.correlations(), with a total that counts the page. A page may be short; the cursor is a place among the principal's
   * events.
   */
  async page({ filter, limit, cursor, ...range }: CorrelationsQuery): Promise<CorrelationsPage> {
    const matches = filter === undefined ? () => true : await this.#compile(filter);
    const correlations: Correlation[] = [];
    let next = cursor;
    let lookedAt = 0;
    do {
      const page = await this.#deps.search.search({
        filter: this.#imposed,
        ...range,
        order: 'desc',
        cursor: next,
        // An event begins one document at most, so that a page cannot grow past its limit.
        limit: limit - correlations.length,
      });
      lookedAt += page.events.length;
      const begun = await this.#documentsBegunBy(page.events);
      for (const document of begun)
        if (matches(new CorrelationSubject(document))) correlations.push(document);
      next = page.next;
    } while (
      next !== undefined &&
      correlations.length < limit &&
      lookedAt < maxEvents &&
      this.#loadedCount < maxLoaded
    );
    return {
      total: { value: correlations.length, exact: limit > 0 && cursor === undefined && next === undefined },
      correlations,
      ...(next === undefined ? {} : { next }),
    };
  }

  /** By the document's id, its correlation id, or another id that one of the visible members carries. */
  async find(id: string): Promise<VisibleRequest | undefined> {
    const place = placeInId(id);
    if (place !== undefined) {
      const [event] = await this.#deps.archive.range(
        epochOfId(id),
        place.partition,
        place.offset,
        place.offset + 1,
        1,
      );
      const found = event && this.isVisible(event) ? await this.#requestOf(event) : undefined;
      if (found?.document.id === id) return found;
      // Its id joined the request of another one.
      const isJoined = found !== undefined && (await this.#deps.archive.correlation(id))?.joinedInto;
      if (isJoined) return found;
    }
    for (const ast of [keyword('correlationId', id), carries([id])]) {
      const { events } = await this.#deps.search.search({
        filter: intersect({ ast, canonical: '' }, this.#imposed),
        order: 'desc',
        limit: maxLookUps,
      });
      for (const event of events) {
        const found = await this.#requestOf(event);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }

  /**
   * The request that was written in several documents, and the visible part of each: those of the latest 20,000 visible events of its id,
   * at most 50.
   */
  async whole(
    found: VisibleRequest,
    asked: string,
  ): Promise<{ request: VisibleRequest; parts: Correlation[] }> {
    const requests = new Set([found]);
    let cursor: string | undefined;
    let lookedAt = 0;
    do {
      const page = await this.#deps.search.search({
        filter: intersect(
          { ast: keyword('correlationId', found.whole.correlationId), canonical: '' },
          this.#imposed,
        ),
        order: 'desc',
        limit: partEvents,
        cursor,
      });
      for (const event of page.events) {
        const request = await this.#requestOf(event);
        if (request !== undefined && requests.size < maxParts) requests.add(request);
      }
      lookedAt += page.events.length;
      cursor = page.next;
    } while (cursor !== undefined && lookedAt < maxPartEvents && requests.size < maxParts);
    const byDocument = new Map([...requests].map((request) => [request.document, request]));
    const parts = partsOf(found.document, [...byDocument.keys()]);
    const of = parts.map((part) => byDocument.get(part)!);
    const whole = wholeOf(of.map((request) => request.whole));
    return { request: { document: wholeOf(parts, asked), whole, first: of[0]!.first }, parts };
  }

  /** A page of the visible members of a request. */
  async members({ whole }: VisibleRequest, options: MembersPageOptions): Promise<MembersPage> {
    const { limit, maxBytes } = options;
    const events: PlacedEvent[] = [];
    if (limit === 0) return { events };
    let { after } = options;
    let bytes = 0;
    do {
      const page = await correlationEventsPage(this.#deps, whole, {
        after,
        limit: Infinity,
        maxBytes: stepBytes,
      });
      const before = after?.count ?? 0;
      // Otherwise they are in the archive's order, and a page can end at any member; visible members alone decide where.
      const mayEnd = page.next !== undefined && page.next.timestamp !== behindArchive;
      for (const [i, event] of page.events.entries()) {
        if (!this.isVisible(event)) continue;
        events.push(event);
        bytes += memberBytes(event);
        const { timestamp, partition, offset } = event;
        if (mayEnd && (events.length >= limit || bytes >= maxBytes))
          return { events, next: { timestamp, partition, offset, count: before + i + 1 } };
      }
      after = page.next;
    } while (after !== undefined && events.length < limit && bytes < maxBytes);
    return { events, ...(after === undefined ? {} : { next: after }) };
  }

  /** Without fields that a document does not contain, such as the text. */
  async #visibleMembers(whole: Correlation): Promise<PlacedEvent[]> {
    const members: PlacedEvent[] = [];
    let after: MembersPlace | undefined;
    do {
      const page = await correlationEventsPage(this.#deps, whole, {
        after,
        limit: Infinity,
        maxBytes: stepBytes,
      });
      for (const event of page.events)
        if (this.isVisible(event))
          members.push({ ...event, message: '', attributes: idsOnly(event.attributes) });
      after = page.next;
    } while (after !== undefined);
    return members.sort((a, b) => a.timestamp - b.timestamp || a.offset - b.offset);
  }

  /** The other documents that share a visible id with this one, the latest first. */
  async related(document: Correlation): Promise<RelatedRequest[]> {
    const ids = [document.correlationId, ...(document.ids ?? correlationDefaults.ids)];
    const { events } = await this.#deps.search.search({
      filter: intersect({ ast: carries(ids), canonical: '' }, this.#imposed),
      order: 'desc',
      limit: maxLookUps,
    });
    const others = new Map<string, Correlation>();
    for (const event of events) {
      if (others.size > maxRelated) break;
      const found = await this.#requestOf(event);
      if (found !== undefined && found.document.id !== document.id)
        others.set(found.document.id, found.document);
    }
    const latestFirst = [...others.values()].sort((a, b) => b.firstAt - a.firstAt);
    return relatedTo(document, latestFirst.slice(0, maxRelated));
  }

  /** Throws SearchStoreError `bad-filter` for a filter that the store would refuse. */
  async #compile({ ast, canonical }: Filter): Promise<Predicate> {
    await this.#deps.search.correlations({
      filter: { ast, canonical },
      fromMicros: 0,
      toMicros: 0,
      limit: 1,
    });
    return compilePredicate({ ast: aboutCorrelations(ast, fields).ast, canonical });
  }

  /** The documents whose first visible member is among these, in their order. */
  async #documentsBegunBy(events: readonly FoundEvent[]): Promise<Correlation[]> {
    const byId = new Map<string, FoundEvent[]>();
    for (const event of events) {
      if (event.correlationId === null) continue;
      const group = byId.get(event.correlationId);
      if (group === undefined) byId.set(event.correlationId, [event]);
      else group.push(event);
    }
    const begun = new Map<FoundEvent, Correlation>();
    const groups = [...byId.values()];
    for (let at = 0; at < groups.length; at += atOnce)
      await Promise.all(
        groups.slice(at, at + atOnce).map(async (group) => {
          for (const event of group) {
            const found = await this.#requestOf(event);
            const first = found?.first;
            if (first?.offset === event.offset && first.partition === event.partition)
              begun.set(event, found!.document);
          }
        }),
      );
    return events.flatMap((event) => begun.get(event) ?? []);
  }

  /** The visible part of the document of a visible event; undefined while there is none. */
  async #requestOf(event: FoundEvent): Promise<VisibleRequest | undefined> {
    const { correlationId, timestamp } = event;
    if (correlationId === null) return undefined;
    let known = this.#loaded.get(correlationId);
    if (known === undefined) this.#loaded.set(correlationId, (known = []));
    const before = known.find(({ whole }) => isMember(whole, event));
    if (before !== undefined) return before;
    let cursor: string | undefined;
    for (let look = 0; look < maxLooks; look++) {
      const page = await this.#deps.search.correlations({
        // Its id may have joined the request of another one.
        filter: { ast: anyId(correlationId), canonical: '' },
        toMicros: timestamp + 1,
        limit: documentsPerLook,
        cursor,
      });
      const whole = page.correlations.find((document) => isMember(document, event));
      if (whole !== undefined) {
        this.#loadedCount++;
        const members = await this.#visibleMembers(whole);
        if (members.length === 0) return undefined;
        const visible = { document: visibleDocument(whole, members), whole, first: members[0]! };
        known.push(visible);
        return visible;
      }
      cursor = page.next;
      if (cursor === undefined) return undefined;
    }
    return undefined;
  }

  isVisible(event: FoundEvent): boolean {
    return this.#matches(new FilterSubject(event as PlacedEvent));
  }
}

function isMember(document: Correlation, { id, partition, offset }: FoundEvent): boolean {
  return (
    mayBeOfEpoch(id, epochOfId(document.id)) &&
    memberPlaces(document).some((place) => place.partition === partition && place.offset === offset)
  );
}

function keyword(field: 'correlationId' | 'traceId', value: string): FilterNode {
  return { type: 'keyword', field, match: { type: 'equals', value } };
}

/** Documents with this id, of whatever kind. */
function anyId(value: string): FilterNode {
  return { type: 'attribute', path: 'ids', match: { type: 'equals', value } };
}

/** Events that carry one of these ids, as a document's `ids` name them. */
function carries(ids: readonly string[]): FilterNode {
  return {
    type: 'or',
    children: ids.flatMap((value) => [
      keyword('correlationId', value),
      keyword('traceId', value),
      ...['requestId', 'sessionId'].map((path): FilterNode => ({
        type: 'attribute',
        path,
        match: { type: 'equals', value },
      })),
    ]),
  };
}
