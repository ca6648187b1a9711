import { mayHaveVisibleMembers } from '@logloom/auth';
import { compilePredicate, equalityTerms, type Filter, type FilterSubject } from '@logloom/filter';
import type { Correlation } from '@logloom/schemas';
import { FlushTimer } from '../delivery/flush-timer.ts';
import { Broadcast, type BroadcastCounts } from '../delivery/broadcast.ts';
import { HistoryPages, type PageCache } from '../history/history-pages.ts';
import type { EventLoopQueue } from '../admission/event-loop-queue.ts';
import type { CorrelationItem } from '../stream/correlations-stream.ts';
import type { DecodedRecord } from '../stream/decode-records.ts';
import type { StreamStats } from '../stream/live-stats.ts';
import type { LiveFilter, LiveItem } from '../stream/stream-kind.ts';
import type { RecentItems, StreamReader } from '../history/history-source.ts';
import type { StreamCursors } from '../stream/stream-cursors.ts';
import type { StreamDuplicates } from '../stream/stream-duplicates.ts';
import type { ViewerStream } from '../stream/viewer-stream.ts';
import { seeDocument, type DocumentSources, type ImposedFilters } from './see-document.ts';
import { SeenDocument } from './seen-document.ts';
import { visibleKind } from './visible-kind.ts';
import { documentsPerRead, VisibleReader } from './visible-reader.ts';
import { VisibleRing } from './visible-ring.ts';

/** The state that the streams of all imposed filters share: they are always at the same place. */
export interface VisibleStreamContext extends DocumentSources {
  eventLoop: EventLoopQueue;
  flushMs: number;
  nextChannelId: () => number;
  /** Per partition, everything before it went to all of them. */
  position: readonly number[];
  /** The cursor of that place. */
  cursor: () => string;
  recent: RecentItems<SeenDocument<VisibleStream>>;
  cache: PageCache;
  stats: StreamStats;
  counts: BroadcastCounts;
}

/** How many documents are searched for the last matches. */
const maxTailRecords = 5_000;

/**
 * The stream of correlations for principals with one imposed filter: each document is made of the matching members, as in the API, and
 * documents without any are hidden. It is slightly behind the stream of all documents, by the time that reading the members takes, and its
 * cursors reflect that.
 */
export class VisibleStream implements ViewerStream, ImposedFilters<VisibleStream> {
  readonly kind = visibleKind;
  readonly maxTailRecords = maxTailRecords;
  readonly broadcast: Broadcast;
  readonly ring: VisibleRing<VisibleStream>;
  readonly pages: HistoryPages;
  readonly cursors: StreamCursors;
  readonly duplicates: StreamDuplicates;
  /** Orders the streams by their start. */
  readonly number: number;
  /** For the index over imposed filters. */
  readonly filter: LiveFilter;
  readonly maySee: (document: Correlation) => boolean;
  readonly #context: VisibleStreamContext;
  readonly #flushTimer = new FlushTimer((lateMs) => {
    this.broadcast.pace.lagged(lateMs);
    this.#flushDue();
  });

  constructor(imposed: Filter, number: number, context: VisibleStreamContext) {
    const { eventLoop, flushMs, nextChannelId, recent, position, cache, counts } = context;
    const { canonical } = imposed;
    this.number = number;
    this.filter = { canonical, terms: equalityTerms(imposed), matches: compilePredicate(imposed) };
    this.maySee = mayHaveVisibleMembers(imposed);
    this.#context = context;
    this.broadcast = new Broadcast({
      stream: this.kind.name,
      flushMs,
      nowMs: () => performance.now(),
      cursor: () => this.cursor,
      nextChannelId,
      counts,
    });
    this.cursors = context.correlations.cursors.upTo(position);
    this.duplicates = context.correlations.duplicates;
    this.ring = new VisibleRing(recent, this, position);
    this.pages = new HistoryPages({ stream: this, eventLoop, cache, keyPrefix: `${canonical}\0` });
  }

  get stats(): StreamStats {
    return this.#context.stats;
  }

  get position(): readonly number[] {
    return this.#context.position;
  }

  get cursor(): string {
    return this.#context.cursor();
  }

  get epoch(): string {
    return this.#context.correlations.epoch;
  }

  /** Whether it has subscribers. */
  get isUsed(): boolean {
    return this.broadcast.channelCount > 0;
  }

  match(member: FilterSubject, matching: VisibleStream[]): void {
    if (this.filter.matches(member)) matching.push(this);
  }

  hasReached(offsets: readonly number[]): boolean {
    return offsets.every((offset, p) => offset <= this.position[p]!);
  }

  isAt(offsets: readonly number[]): boolean {
    return offsets.every((offset, p) => offset === this.position[p]!);
  }

  cursorAt(offsets: readonly number[]): string {
    return this.#context.correlations.cursorAt(offsets);
  }

  async offsetsSince(timestampMs: number): Promise<number[]> {
    const offsets = await this.#context.correlations.offsetsSince(timestampMs);
    return offsets.map((offset, p) => Math.min(offset, this.position[p]!));
  }

  startOffsets(): Promise<number[]> {
    return this.#context.correlations.startOffsets();
  }

  /** As LiveStream.reader(), of the documents as they are visible here. */
  reader(from: readonly number[]): StreamReader {
    const reader = this.#context.correlations.reader(from, () => this.position);
    return new VisibleReader(reader, (document) => this.#see(document));
  }

  /** Like LiveStream.historyBefore(), but only the last few. */
  async historyBefore(
    partition: number,
    offset: number,
  ): Promise<{ records: DecodedRecord[]; from: number }> {
    const { records, from } = await this.#context.correlations.historyBefore(partition, offset);
    const last = records.slice(-documentsPerRead);
    const seen: DecodedRecord[] = [];
    for (const record of last)
      seen.push(record.item === undefined ? record : { ...record, item: await this.#see(record.item) });
    return { records: seen, from: last.length < records.length ? last[0]!.offset : from };
  }

  /** Sends the visible part of the next document to the viewers. */
  accept(item: LiveItem): void {
    const now = performance.now();
    this.stats.events++;
    this.broadcast.accept(item, now);
    // Deferred: more may follow in this turn.
    this.#flushTimer.set(now);
  }

  /** Sends what is waiting and stops the timer. */
  flushAll(): void {
    this.#flushTimer.clear();
    this.broadcast.flushAll(performance.now());
  }

  #flushDue(): void {
    const due = this.broadcast.flushDue(performance.now());
    if (due !== undefined) this.#flushTimer.set(due);
  }

  async #see(item: LiveItem): Promise<LiveItem> {
    const seen = new SeenDocument<VisibleStream>(item);
    seen.add(await seeDocument(this.#context, item as CorrelationItem, this));
    return seen.itemFor(this);
  }
}
