import type { Filter } from '@logloom/filter';
import type { Logger } from '@logloom/telemetry';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BroadcastCounts } from '../delivery/broadcast.ts';
import { FilterIndex } from '../delivery/filter-index.ts';
import { PageCache } from '../history/history-pages.ts';
import type { EventLoopQueue } from '../admission/event-loop-queue.ts';
import type { CorrelationItem } from '../stream/correlations-stream.ts';
import type { StreamStats } from '../stream/live-stats.ts';
import { Ring } from '../stream/ring.ts';
import type { StreamReader } from '../history/history-source.ts';
import { seeDocument, type DocumentSources, type ImposedFilters } from './see-document.ts';
import { SeenDocument } from './seen-document.ts';
import { VisibleStream, type VisibleStreamContext } from './visible-stream.ts';

export interface VisibleFollowerOptions extends DocumentSources {
  eventLoop: EventLoopQueue;
  logger: Logger;
  flushMs: number;
  nextChannelId: () => number;
  /** Memory for viewers that reconnect, of all imposed filters together. */
  ringItems: number;
  ringBytes: number;
}

/** Documents whose members are read at the same time. */
const atOnce = 8;
const documentsPerSlice = 64;
const retryMs = 500;
/** Memory of pages and readers, of all imposed filters together. */
const pageBytes = 16 * 2 ** 20;
const readerBytes = 16 * 2 ** 20;

/** The next items of the stream of all documents, up to `end`. */
interface Slice {
  documents: readonly CorrelationItem[];
  end: readonly number[];
}

/**
 * Follows the stream of all documents for every imposed filter: reads the members of each once, and sends each filter's viewers what it
 * passes. Documents stay in order, however long reading the members of one takes, and a cursor moves only after everything before it was
 * sent. While members cannot be read it waits: nothing is lost, and only these viewers wait.
 */
export class VisibleFollower {
  readonly #options: VisibleFollowerOptions;
  readonly #streams = new Map<string, VisibleStream>();
  readonly #index = new FilterIndex<VisibleStream>();
  readonly #all: ImposedFilters<VisibleStream> = {
    maySee: (document) => [...this.#streams.values()].some((stream) => stream.maySee(document)),
    match: (member, matching) => void (this.#context.counts.tests += this.#index.match(member, matching)),
  };
  readonly #position: number[];
  readonly #recent: Ring<SeenDocument<VisibleStream>>;
  readonly #context: VisibleStreamContext;
  readonly #stop = new AbortController();
  /** Streams that were unused at the last check. */
  readonly #unused = new Set<VisibleStream>();
  #cursor: string | undefined;
  #reader: StreamReader | undefined;
  /** The number of the stream that began last. */
  #lastNumber = 0;
  #wake: () => void = () => {};

  constructor(options: VisibleFollowerOptions, stats: StreamStats, counts: BroadcastCounts) {
    const { correlations, ringItems, ringBytes } = options;
    this.#options = options;
    this.#position = [...correlations.position];
    this.#recent = new Ring(this.#position, ringItems, ringBytes);
    this.#context = {
      ...options,
      position: this.#position,
      cursor: () => (this.#cursor ??= correlations.cursorAt(this.#position)),
      recent: this.#recent,
      cache: new PageCache({ pageBytes, readerBytes }),
      stats,
      counts,
    };
    correlations.onAdvance = () => this.#wake();
    void this.#run();
  }

  get isEmpty(): boolean {
    return this.#streams.size === 0;
  }

  get channelCount(): number {
    return [...this.#streams.values()].reduce((sum, { broadcast }) => sum + broadcast.channelCount, 0);
  }

  get behind(): number {
    const { position } = this.#options.correlations;
    return position.reduce((sum, offset, p) => sum + offset - this.#position[p]!, 0);
  }

  streamFor(imposed: Filter): VisibleStream {
    let stream = this.#streams.get(imposed.canonical);
    if (stream === undefined) {
      stream = new VisibleStream(imposed, ++this.#lastNumber, this.#context);
      this.#streams.set(imposed.canonical, stream);
      this.#index.add(stream);
    }
    return stream;
  }

  flushAll(): void {
    for (const stream of this.#streams.values()) stream.flushAll();
  }

  forgetUnused(): void {
    for (const [key, stream] of this.#streams) {
      if (stream.isUsed) {
        this.#unused.delete(stream);
      } else if (this.#unused.delete(stream)) {
        this.#streams.delete(key);
        this.#index.delete(stream);
      } else {
        this.#unused.add(stream);
      }
    }
  }

  close(): void {
    this.#options.correlations.onAdvance = undefined;
    this.flushAll();
    this.#stop.abort();
    this.#wake();
  }

  async #run(): Promise<void> {
    const { correlations, logger } = this.#options;
    const { signal } = this.#stop;
    let isFailing = false;
    while (!signal.aborted) {
      try {
        if (correlations.isAt(this.#position)) await this.#advanced();
        else await this.#accept(await this.#next());
        isFailing = false;
      } catch (error) {
        if (signal.aborted) return;
        this.#reader = undefined;
        if (!isFailing)
          logger.warn(
            { err: error },
            'members of documents cannot be read; viewers with imposed filters wait',
          );
        isFailing = true;
        await sleep(retryMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  /** Resolves when the stream of all documents has advanced. */
  #advanced(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  async #next(): Promise<Slice> {
    const { correlations } = this.#options;
    if (correlations.ring.reaches(this.#position)) {
      this.#reader = undefined;
      return this.#fromRing();
    }
    const reader = (this.#reader ??= correlations.reader(this.#position));
    const documents = (await reader.read(documentsPerSlice)) as CorrelationItem[];
    const end = [...reader.position];
    if (reader.lost > 0) {
      reader.lost = 0;
      this.#passOver(startOf(documents, end));
    }
    return { documents, end };
  }

  #fromRing(): Slice {
    const { ring, position } = this.#options.correlations;
    const end = [...this.#position];
    const documents: CorrelationItem[] = [];
    let place = ring.placeOf(end);
    for (; place < ring.end && documents.length < documentsPerSlice; place++) {
      const item = ring.at(place);
      if (item.offset < end[item.partition]!) continue;
      end[item.partition] = item.offset + 1;
      documents.push(item as CorrelationItem);
    }
    return { documents, end: place === ring.end ? [...position] : end };
  }

  /** The log lost the records before these offsets: viewers continue reading by themselves, and are told. */
  #passOver(to: readonly number[]): void {
    const cursor = this.#context.cursor();
    this.flushAll();
    this.#moveTo(to);
    to.forEach((offset, partition) => this.#recent.passOver(partition, offset));
    for (const { broadcast } of this.#streams.values()) broadcast.disperse(cursor);
  }

  #moveTo(offsets: readonly number[]): void {
    offsets.forEach((offset, partition) => (this.#position[partition] = offset));
    this.#cursor = undefined;
  }

  /** Evaluates some documents ahead, and returns them in order. */
  async #accept({ documents, end }: Slice): Promise<void> {
    const looks: Promise<Look>[] = [];
    for (const [i, document] of documents.entries()) {
      while (looks.length < Math.min(documents.length, i + atOnce)) {
        const look = this.#look(documents[looks.length]!);
        // It is awaited below, unless one before it fails.
        look.catch(() => {});
        looks.push(look);
      }
      const { seen, upTo } = await looks[i]!;
      // A stream that has begun in the meantime begins before this document.
      for (let known = upTo; known < this.#lastNumber;) known = await this.#lookAgain(document, seen, known);
      this.#stop.signal.throwIfAborted();
      this.#give(seen);
    }
    this.#moveTo(end);
  }

  async #look(document: CorrelationItem): Promise<Look> {
    await this.#options.eventLoop.slot();
    const upTo = this.#lastNumber;
    const views = await seeDocument(this.#options, document, this.#all);
    for (const stream of views.keys()) if (stream.number > upTo) views.delete(stream);
    const seen = new SeenDocument<VisibleStream>(document);
    seen.add(views);
    return { seen, upTo };
  }

  /** Adds what streams after this number may see; returns the number of the last of them. */
  async #lookAgain(
    document: CorrelationItem,
    seen: SeenDocument<VisibleStream>,
    after: number,
  ): Promise<number> {
    const upTo = this.#lastNumber;
    const late = [...this.#streams.values()].filter(({ number }) => number > after);
    const filters: ImposedFilters<VisibleStream> = {
      maySee: (whole) => late.some((stream) => stream.maySee(whole)),
      match: (member, matching) => late.forEach((stream) => stream.match(member, matching)),
    };
    seen.add(await seeDocument(this.#options, document, filters));
    return upTo;
  }

  #give(seen: SeenDocument<VisibleStream>): void {
    this.#position[seen.partition] = seen.offset + 1;
    this.#cursor = undefined;
    this.#recent.add(seen);
    for (const [stream, item] of seen.visible) stream.accept(item);
  }
}

/** The documents that were evaluated for the streams up to this number. */
interface Look {
  seen: SeenDocument<VisibleStream>;
  upTo: number;
}

/** Per partition, the offset of the first of these items, or the end if there is none. */
function startOf(items: readonly CorrelationItem[], end: readonly number[]): number[] {
  const start = [...end];
  for (const { partition, offset } of items.toReversed()) start[partition] = offset;
  return start;
}
