import { Broadcast } from '../delivery/broadcast.ts';
import { FlushTimer } from '../delivery/flush-timer.ts';
import type { EventLoopQueue } from '../admission/event-loop-queue.ts';
import { HistoryPages } from '../history/history-pages.ts';
import type { StreamReader } from '../history/history-source.ts';
import type { DecodedRecord } from './decode-records.ts';
import { newStreamStats } from './live-stats.ts';
import { Ring } from './ring.ts';
import type { StreamCursors } from './stream-cursors.ts';
import type { StreamDuplicates } from './stream-duplicates.ts';
import type { LiveItem, StreamKind } from './stream-kind.ts';
import type { ViewerStream } from './viewer-stream.ts';

/** Enough for some minutes; older items are read from the log. */
const ringItems = 1024;
const ringBytes = 2 ** 20;

/** The stream that it is a part of. */
export interface WholeStream extends Omit<
  ViewerStream,
  'broadcast' | 'ring' | 'pages' | 'stats' | 'duplicates' | 'reader' | 'historyBefore' | 'maxTailRecords'
> {
  readonly duplicates: StreamDuplicates;
  /** `isOurs`: which items it reads. */
  reader(from: readonly number[], end: undefined, isOurs: (item: LiveItem) => boolean): StreamReader;
}

export interface CanaryStreamOptions {
  flushMs: number;
  nextChannelId: () => number;
  eventLoop: EventLoopQueue;
}

/**
 * The part of a stream that the canary sees: its own items. It shares everything that can fail with the stream of all viewers, the follower,
 * the decoding, the duplicate filter, the place in the log, the event loop and the sockets, but no channel, ring or page, so that neither sees
 * anything of the other.
 */
export class CanaryStream implements ViewerStream {
  readonly kind: StreamKind;
  readonly maxTailRecords = ringItems;
  readonly broadcast: Broadcast;
  readonly ring: Ring;
  readonly pages: HistoryPages;
  readonly stats = newStreamStats();
  readonly cursors: StreamCursors;
  readonly duplicates: StreamDuplicates;
  readonly #stream: WholeStream;
  readonly #flushTimer = new FlushTimer((lateMs) => {
    this.broadcast.pace.lagged(lateMs);
    this.#flushDue();
  });

  constructor(stream: WholeStream, { flushMs, nextChannelId, eventLoop }: CanaryStreamOptions) {
    this.#stream = stream;
    this.kind = stream.kind;
    this.cursors = stream.cursors;
    this.duplicates = stream.duplicates;
    this.ring = new Ring(stream.position, ringItems, ringBytes);
    this.broadcast = new Broadcast({
      stream: stream.kind.name,
      flushMs,
      nowMs: () => performance.now(),
      cursor: () => this.cursor,
      nextChannelId,
    });
    this.pages = new HistoryPages({ stream: this, eventLoop });
  }

  get epoch(): string {
    return this.#stream.epoch;
  }

  get position(): readonly number[] {
    return this.#stream.position;
  }

  get cursor(): string {
    return this.#stream.cursor;
  }

  cursorAt(offsets: readonly number[]): string {
    return this.#stream.cursorAt(offsets);
  }

  offsetsSince(timestampMs: number): Promise<number[]> {
    return this.#stream.offsetsSince(timestampMs);
  }

  hasReached(offsets: readonly number[]): boolean {
    return this.#stream.hasReached(offsets);
  }

  isAt(offsets: readonly number[]): boolean {
    return this.#stream.isAt(offsets);
  }

  startOffsets(): Promise<number[]> {
    return this.#stream.startOffsets();
  }

  reader(from: readonly number[]): StreamReader {
    return this.#stream.reader(from, undefined, ({ isCanary }) => isCanary);
  }

  /** No items: the canary never asks for the last ones. */
  async historyBefore(): Promise<{ records: DecodedRecord[]; from: number }> {
    return { records: [], from: 0 };
  }

  /** Sends the stream's next item to the canary. */
  accept(item: LiveItem, nowMs: number): void {
    this.ring.add(item);
    this.broadcast.accept(item, nowMs);
    // Deferred: more may follow in this turn.
    this.#flushTimer.set(nowMs);
  }

  /** The stream continues at this offset of the partition; `cursor` is that of everything before it. */
  passOver(partition: number, offset: number, cursor: string): void {
    this.ring.passOver(partition, offset);
    this.broadcast.disperse(cursor);
  }

  /** Sends what is waiting and stops the timer. */
  flushAll(): void {
    this.#flushTimer.clear();
    this.broadcast.flushAll(performance.now());
  }

  #flushDue(): void {
    const dueAtMs = this.broadcast.flushDue(performance.now());
    if (dueAtMs !== undefined) this.#flushTimer.set(dueAtMs);
  }
}
