import type { Archive } from '@logloom/archive';
import { memoryBudget } from '@logloom/settings';
import { ArchiveReader } from './archive-reader.ts';
import { maxBatchLength } from '../delivery/broadcast.ts';
import { HistoryPage } from './history-page.ts';
import { BoundedCache } from './bounded-cache.ts';
import type { HistorySource, StreamReader } from './history-source.ts';
import type { Selection } from './selection.ts';
import type { LiveItem } from '../stream/stream-kind.ts';
import type { EventLoopQueue } from '../admission/event-loop-queue.ts';

const logSlice = 512;
const ringSlice = 1024;
/** A page ends after this many records, so that the cursor moves on where little matches. */
const maxRecords = 4096;
const maxPages = 4096;
const maxPageBytes = 32 * 2 ** 20;
const maxReaders = 256;
/** Memory of readers that wait for their next page; a reader that is evicted starts again. */
const maxHeldBytes = memoryBudget(0.05, 64 * 2 ** 20);

/** A reader at the end of a page, and items that it has read and no page has yet. */
interface OpenReader {
  reader: StreamReader;
  items: readonly LiveItem[];
  next: number;
  /** Records that are gone before those items, and where the log continues. */
  lost: number;
  lostTo: readonly number[];
  /** Reads those records from the archive. */
  archived?: ArchiveReader | undefined;
}

/** The cache of pages, and of readers that wait for their next one; streams may share it. */
export class PageCache {
  readonly pages: BoundedCache<HistoryPage>;
  readonly readers: BoundedCache<OpenReader>;

  constructor({ pageBytes = maxPageBytes, readerBytes = maxHeldBytes } = {}) {
    this.pages = new BoundedCache(maxPages, pageBytes);
    this.readers = new BoundedCache(maxReaders, readerBytes);
  }
}

export interface HistoryPagesOptions {
  stream: HistorySource;
  eventLoop: EventLoopQueue;
  /** Has events that have left the log; if absent, they are a gap. */
  archive?: (() => Promise<Archive>) | undefined;
  /** Default: one of its own. */
  cache?: PageCache;
  /** Distinguishes its pages from those of other streams in the cache. */
  keyPrefix?: string;
}

/**
 * The past of a stream in pages, for viewers that catch up. Viewers with the same filter at the same place, as after a cut of many
 * connections, share the reading, the tests and the encoded frames. Memory is bounded; evicted pages are read again.
 */
export class HistoryPages {
  readonly #stream: HistorySource;
  readonly #eventLoop: EventLoopQueue;
  readonly #archive: (() => Promise<Archive>) | undefined;
  readonly #cache: PageCache;
  readonly #keyPrefix: string;
  readonly #loading = new Map<string, Promise<HistoryPage>>();

  constructor({ stream, eventLoop, archive, cache, keyPrefix = '' }: HistoryPagesOptions) {
    this.#stream = stream;
    this.#eventLoop = eventLoop;
    this.#archive = archive;
    this.#cache = cache ?? new PageCache();
    this.#keyPrefix = keyPrefix;
  }

  /** Returns the page from these offsets on if it is available at once: from the cache or the ring. */
  ready(selection: Selection, from: readonly number[]): HistoryPage | undefined {
    const key = this.#keyOf(selection, from);
    const kept = this.#cache.pages.get(key);
    if (kept !== undefined) return kept;
    if (!this.#stream.ring.reaches(from)) return undefined;
    return this.#keep(key, this.#fromRing(selection, from));
  }

  /** The same, but reads the log if the ring does not reach back far enough. Rejects when the log cannot be read. */
  load(selection: Selection, from: readonly number[]): Promise<HistoryPage> {
    const page = this.ready(selection, from);
    if (page !== undefined) return Promise.resolve(page);
    const key = this.#keyOf(selection, from);
    let loading = this.#loading.get(key);
    if (loading === undefined) {
      loading = this.#fromLog(selection, from, key)
        .then((loaded) => this.#keep(key, loaded))
        .finally(() => this.#loading.delete(key));
      this.#loading.set(key, loading);
    }
    return loading;
  }

  #fromRing(selection: Selection, from: readonly number[]): HistoryPage {
    const stream = this.#stream;
    const { ring } = stream;
    const position = [...from];
    const items: LiveItem[] = [];
    let length = 0;
    let place = ring.placeOf(from);
    for (let looked = 0; place < ring.end && looked < ringSlice && length < maxBatchLength; place++) {
      const item = ring.at(place);
      // Places from there on include earlier items of other partitions.
      if (item.offset < position[item.partition]!) continue;
      looked++;
      position[item.partition] = item.offset + 1;
      if (!selection.includes(item)) continue;
      items.push(item);
      length += item.json().length + 1;
    }
    return new HistoryPage(stream, items, place === ring.end ? stream.position : position);
  }

  async #fromLog(selection: Selection, from: readonly number[], key: string): Promise<HistoryPage> {
    const stream = this.#stream;
    const open = this.#takeReader(key, from);
    const position = [...from];
    const items: LiveItem[] = [];
    let length = 0;
    const end = (): HistoryPage => {
      const page = new HistoryPage(stream, items, position);
      this.#keepReader(this.#keyOf(selection, page.end), open);
      return page;
    };
    for (let records = 0; ; records += logSlice) {
      if (open.lost > 0) {
        if (position.some((offset, p) => offset !== from[p])) return end();
        const page = await this.#fromArchive(selection, from, open);
        this.#keepReader(this.#keyOf(selection, page.end), open);
        return page;
      }
      while (open.next < open.items.length) {
        const item = open.items[open.next++]!;
        position[item.partition] = item.offset + 1;
        if (!selection.includes(item)) continue;
        items.push(item);
        length += item.json().length + 1;
        if (length >= maxBatchLength) return end();
      }
      open.reader.position.forEach((offset, p) => (position[p] = offset));
      if (records >= maxRecords || (records > 0 && stream.ring.reaches(position))) return end();
      await this.#read(open);
    }
  }

  /** Reads from the archive what the log no longer has; events that neither has are lost. */
  async #fromArchive(selection: Selection, from: readonly number[], open: OpenReader): Promise<HistoryPage> {
    const stream = this.#stream;
    if (this.#archive === undefined) {
      const page = new HistoryPage(stream, [], open.lostTo, open.lost);
      open.lost = 0;
      return page;
    }
    open.archived ??= new ArchiveReader(await this.#archive(), stream, from, open.lostTo);
    const items: LiveItem[] = [];
    let length = 0;
    let lost = 0;
    for (
      let read = 0;
      read < maxRecords && length < maxBatchLength && !open.archived.isOver;
      read += logSlice
    ) {
      const before = [...open.archived.position];
      const found = await open.archived.read(logSlice);
      await this.#eventLoop.slot();
      if (found.lost > 0 && read > 0) {
        // A page is either items or a gap: the next page finds the gap again.
        open.archived = undefined;
        return new HistoryPage(stream, items, before);
      }
      lost = found.lost;
      if (lost > 0) break;
      for (const item of found.items) {
        if (!selection.includes(item)) continue;
        items.push(item);
        length += item.json().length + 1;
      }
    }
    const page = new HistoryPage(stream, items, open.archived.position, lost);
    if (open.archived.isOver) {
      open.archived = undefined;
      open.lost = 0;
    }
    return page;
  }

  async #read(open: OpenReader): Promise<void> {
    const { reader } = open;
    open.items = await reader.read(logSlice);
    open.next = 0;
    await this.#eventLoop.slot();
    if (reader.lost === 0) return;
    // Records were trimmed before they were read: the gap ends before the items just read.
    const lostTo = [...reader.position];
    for (const item of open.items.toReversed()) lostTo[item.partition] = item.offset;
    open.lost = reader.lost;
    open.lostTo = lostTo;
    reader.lost = 0;
  }

  #takeReader(key: string, from: readonly number[]): OpenReader {
    const kept = this.#cache.readers.take(key);
    return kept ?? { reader: this.#stream.reader(from), items: [], next: 0, lost: 0, lostTo: [] };
  }

  #keepReader(key: string, open: OpenReader): void {
    let bytes = open.reader.heldBytes;
    for (let i = open.next; i < open.items.length; i++) bytes += open.items[i]!.bytes;
    this.#cache.readers.set(key, open, bytes);
  }

  #keep(key: string, page: HistoryPage): HistoryPage {
    this.#cache.pages.set(key, page, page.bytes);
    return page;
  }

  #keyOf({ key }: Selection, offsets: readonly number[]): string {
    return `${this.#keyPrefix}${offsets.join('-')} ${key}`;
  }
}
