import { ReadInterrupted, type ReadLimits, type ReadView, type Slice } from '@logloom/column-store';
import { placeOf, sqlLiteral } from '@logloom/filter';
import type { Correlation } from '@logloom/schemas';
import { cancelledError, currentCancellation, throwIfCancelled, type Cancellation } from '../cancellation.ts';
import { SearchStoreError, type FoundEvent, type SearchStore } from '../search-store.ts';
import { foundColumns, foundEventOf } from './found-event.ts';
import { matchingEvents } from './filtered-events.ts';
import { aggregateEvents } from './column-aggregate.ts';
import { histogramOf, knownRange } from './histogram.ts';
import {
  documentsOf,
  groupDocuments,
  idsCondition,
  searchDocuments,
  shapeDurationsOf,
} from './search-documents.ts';
import { scanEvents } from './scan-events.ts';
import { searchEvents } from './search-events.ts';
import { fieldNames, topValuesOf } from './top-values.ts';

/** Runs the work on one state of the store, as searches see it. */
export type Read = <T>(work: (view: ReadView) => Promise<T>, limits: ReadLimits) => Promise<T>;

export interface ColumnReaderOptions {
  queryLimitMs: number;
  countLimitMs: number;
  pageBytes: number;
}

export type SearchReader = Pick<
  SearchStore,
  | 'search'
  | 'histogram'
  | 'topValues'
  | 'aggregate'
  | 'scan'
  | 'fields'
  | 'event'
  | 'correlations'
  | 'correlation'
  | 'correlationsById'
  | 'correlationsByIds'
  | 'shapeDurations'
  | 'groupRequests'
>;

/** How often a flag that no event announces is looked at. */
const cancelCheckMs = 50;

/** The reading half of the embedded search store. */
export function columnReader(
  read: Read,
  { queryLimitMs, countLimitMs, pageBytes }: ColumnReaderOptions,
): SearchReader {
  const query = async <T>(work: (view: ReadView) => Promise<T>): Promise<T> =>
    cancellable(queryLimitMs, (signal) => read(work, { limitMs: queryLimitMs, signal }));
  const limits = { countLimitMs, pageBytes };
  return {
    search: (asked) => query((view) => searchEvents(view, asked, limits)),
    histogram: (asked) => query((view) => histogramOf(view, asked)),
    topValues: (asked) => query((view) => topValuesOf(view, asked)),
    aggregate: (asked) =>
      query(async (view) => {
        const range = asked.interval === undefined ? undefined : await knownRange(view, asked, asked.scope);
        const from = await matchingEvents(view, asked.filter, range ?? asked);
        return aggregateEvents(view, from, asked, range);
      }),
    scan: (asked) => query((view) => scanEvents(view, asked, pageBytes)),
    fields: () => query(fieldNames),
    event: (id) => query((view) => eventById(view, id)),
    correlations: (asked) => query((view) => searchDocuments(view, asked, limits)),
    correlation: (id) => query((view) => documentById(view, id, pageBytes)),
    correlationsById: (correlationId) =>
      query((view) => documentsOf(view, `correlation_id = ${sqlLiteral(correlationId)}`, { pageBytes })),
    correlationsByIds: async (ids, limit) =>
      ids.length === 0 ? [] : query((view) => documentsOf(view, idsCondition(ids), { limit, pageBytes })),
    shapeDurations: (asked) => query((view) => shapeDurationsOf(view, asked)),
    groupRequests: (asked) => query((view) => groupDocuments(view, asked, pageBytes)),
  };
}

/** A document's id is the place of its first event. */
async function documentById(view: ReadView, id: string, pageBytes: number): Promise<Correlation | undefined> {
  const place = placeOf(id);
  const only = ({ places }: Slice): boolean =>
    place === undefined ||
    places.some(
      ({ partition, first, last }) =>
        partition === place.partition && first <= place.offset && last >= place.offset,
    );
  return (await documentsOf(view, `id = ${sqlLiteral(id)}`, { pageBytes, only }))[0];
}

/** The slices that can hold the id are those with its offset; ids of earlier releases are looked for in the slices that have such. */
async function eventById(view: ReadView, id: string): Promise<FoundEvent | undefined> {
  const place = placeOf(id);
  const isOther = `other_id = ${sqlLiteral(id)}`;
  const conditions = [{ where: isOther, only: view.events({ only: ({ otherIds }) => otherIds > 0 }) }];
  if (place !== undefined) {
    const { epoch, partition, offset } = place;
    const relation = view.events({
      only: ({ places }) =>
        places.some(
          (range) =>
            range.epoch === epoch &&
            range.partition === partition &&
            range.first <= offset &&
            range.last >= offset,
        ),
    });
    conditions.unshift({
      where: `"offset" = ${offset} AND partition = ${partition} AND epoch = ${sqlLiteral(epoch)} AND other_id IS NULL`,
      only: relation,
    });
  }
  for (const { where, only } of conditions) {
    const [row] = await view.rows(`SELECT ${foundColumns} FROM ${only} WHERE ${where} LIMIT 1`);
    if (row !== undefined) return foundEventOf(row).event;
  }
  return undefined;
}

/** Ends the work when its client no longer waits, and says why it ended as the port does. */
async function cancellable<T>(
  limitMs: number,
  work: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  const cancellation = currentCancellation();
  throwIfCancelled(cancellation);
  const watch = cancellation && watchFlag(cancellation);
  try {
    return await work(watch?.signal);
  } catch (error) {
    if (!(error instanceof ReadInterrupted)) throw error;
    if (error.reason === 'cancelled') throw cancelledError(error);
    throw new SearchStoreError('timeout', `the query ran longer than ${limitMs} ms`, { cause: error });
  } finally {
    watch?.end();
  }
}

/** The flag may be in memory that threads share, which tells nobody when it changes. */
function watchFlag(cancellation: Cancellation): { signal: AbortSignal; end: () => void } {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const timer = setInterval(() => {
    if (!cancellation.aborted) return;
    clearInterval(timer);
    abort();
  }, cancelCheckMs);
  cancellation.signal?.addEventListener('abort', abort, { once: true });
  return {
    signal: controller.signal,
    end: () => {
      clearInterval(timer);
      cancellation.signal?.removeEventListener('abort', abort);
    },
  };
}
