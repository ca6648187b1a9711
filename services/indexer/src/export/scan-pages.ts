import {
  runCancellable,
  SearchStoreError,
  type FoundEvent,
  type ScanPage,
  type ScanQuery,
  type SearchStore,
} from '@logloom/search-store';
import { setTimeout as sleep } from 'node:timers/promises';

/** Enough that a page's fixed costs hardly count, and few enough that other queries wait only shortly. */
const pageEvents = 5_000;
/** A page that fails for a reason that passes is read again, after these pauses. */
const pausesMs = [200, 1_000, 5_000];

export interface ScanPagesOptions {
  store: Pick<SearchStore, 'scan'>;
  query: Omit<ScanQuery, 'limit'>;
  limit: number | undefined;
  /** The client has disconnected. */
  gone: AbortSignal;
  /** Runs the reading of a page when it is its turn. */
  admit: <T>(read: () => Promise<T>) => Promise<T>;
}

/** Whether there is nothing behind the pages that were read. */
export interface ScanEnd {
  isLast: boolean;
}

/** The pages of a scan, the first one read already; each holds nothing in the store. */
export async function startScan(
  options: ScanPagesOptions,
): Promise<{ snapshot: string; pages: AsyncGenerator<FoundEvent[]>; end: ScanEnd }> {
  const { query, limit } = options;
  const first = await scanOnce(options, query, limit);
  const end: ScanEnd = { isLast: first.isLast };
  return { snapshot: first.snapshot, pages: pagesFrom(first, options, end), end };
}

async function* pagesFrom(
  first: ScanPage<FoundEvent>,
  options: ScanPagesOptions,
  end: ScanEnd,
): AsyncGenerator<FoundEvent[]> {
  const { query, admit, limit = Infinity } = options;
  let left = limit;
  for (let page = first; ;) {
    end.isLast = page.isLast;
    if (page.events.length > 0) yield page.events;
    left -= page.events.length;
    if (page.isLast || left <= 0) return;
    const after = page.events.at(-1) ?? query.after;
    page = await admit(() => patiently(options, { ...query, snapshot: first.snapshot, after }, left));
  }
}

async function patiently(
  options: ScanPagesOptions,
  query: Omit<ScanQuery, 'limit'>,
  left: number,
): Promise<ScanPage<FoundEvent>> {
  for (const pauseMs of pausesMs) {
    try {
      return await scanOnce(options, query, left);
    } catch (error) {
      if (!(error instanceof SearchStoreError) || !error.retriable) throw error;
      await sleep(pauseMs, undefined, { signal: options.gone });
    }
  }
  return scanOnce(options, query, left);
}

function scanOnce(
  { store, gone }: ScanPagesOptions,
  query: Omit<ScanQuery, 'limit'>,
  left = Infinity,
): Promise<ScanPage<FoundEvent>> {
  const cancellation = {
    get aborted() {
      return gone.aborted;
    },
    signal: gone,
  };
  return runCancellable(cancellation, () =>
    store.scan({ ...query, limit: Math.min(pageEvents, Math.max(1, left)) }),
  );
}
