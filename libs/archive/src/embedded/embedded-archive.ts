import {
  openColumnStore,
  StoreUnavailable,
  type ColumnStore,
  type OpenColumnStoreOptions,
  type ReadView,
} from '@logloom/column-store';
import { sqlLiteral } from '@logloom/filter';
import { epochOfId, type Correlation } from '@logloom/schemas';
import { ArchiveError, type Archive } from '../archive.ts';
import { eventsOfCorrelation } from './read-events.ts';
import { eventsOfRange } from './read-range.ts';
import { scanEvents } from './scan-events.ts';

/** As OpenColumnStoreOptions have them. */
export type EmbeddedArchiveOptions = Omit<OpenColumnStoreOptions, 'nowMs'>;

/**
 * The embedded archive: a view of the column store in the folder, which the embedded search store shares. One process writes; others, and
 * other threads, may be opened `readOnly` beside it.
 */
export function openEmbeddedArchive(folder: string, options: EmbeddedArchiveOptions = {}): Archive {
  const { readOnly = false } = options;
  const handle = openColumnStore(folder, 'archive', options);
  const call = async <T>(work: (store: ColumnStore) => Promise<T>): Promise<T> => {
    try {
      return await handle.run(work);
    } catch (error) {
      throw error instanceof StoreUnavailable
        ? new ArchiveError(error.message, { cause: error.cause })
        : error;
    }
  };
  const write = async <T>(work: (store: ColumnStore) => Promise<T>): Promise<T> => {
    if (readOnly) throw new TypeError('this archive was opened for reading only');
    return call(work);
  };
  const read = <T>(work: (view: ReadView) => Promise<T>): Promise<T> =>
    call((store) => store.read('archive', work));
  return {
    put: (events) => write((store) => store.putEvents('archive', events)),
    putCorrelations: (documents) => write((store) => store.putDocuments('archive', documents)),
    byCorrelation: (correlationId, query = {}) =>
      read((view) => eventsOfCorrelation(view, correlationId, query)),
    correlation: (id) => read((view) => documentOf(view, id)),
    scan: (query, signal) => scanEvents(query, signal, read),
    range: (epoch, partition, fromOffset, toOffset, limit) =>
      read((view) => eventsOfRange(view, { epoch, partition, fromOffset, toOffset, limit })),
    counts: () => call(async (store) => store.counts('archive')),
    filled: (epoch) => call(async (store) => store.marks('archive').filled(epoch)),
    markFilled: (epoch, moves) => write(async (store) => store.marks('archive').move(epoch, moves)),
    removedBefore: () => call(async (store) => store.marks('archive').removedBefore()),
    missingEvents: (events) => call((store) => store.missingEvents('archive', events)),
    missingCorrelations: (documents) => call((store) => store.missingDocuments('archive', documents)),
    dropBefore: (micros) => write((store) => store.removeBefore('archive', micros)),
    close: () => handle.close(),
  };
}

async function documentOf(view: ReadView, id: string): Promise<Correlation | undefined> {
  const [, partition, offset] = epochOfId(id) === undefined ? [] : id.split('-').map(Number);
  const relation = view.requests({
    only: ({ places }) =>
      partition === undefined ||
      places.some(
        (place) => place.partition === partition && place.first <= offset! && place.last >= offset!,
      ),
  });
  const [row] = await view.rows(`SELECT document FROM ${relation} WHERE id = ${sqlLiteral(id)}`);
  return row === undefined ? undefined : (JSON.parse(row[0] as string) as Correlation);
}
