import type { DeliveryBatch } from '../encoding/delivery-batch.ts';
import type { Channel, Subscriber } from './broadcast.ts';
import { announcedCursor, recordsBetween } from '../protocol/cursor.ts';
import type { SubscriptionFigures } from '../server/viewer-directory.ts';
import type { DrainWatch } from './drain-watch.ts';
import type { HistoryPage } from '../history/history-page.ts';
import { degrade } from './degraded-batch.ts';
import type { DegradationLevel } from '../protocol/degradation-level.ts';
import { Degradation, degradeAbove, recoverBelow, tellEveryMs } from './degradation.ts';
import type { ViewerStream } from '../stream/viewer-stream.ts';
import type { MemoryBudget } from './memory-budget.ts';
import type { Priority } from '../protocol/priority.ts';
import { serverMessage, type GapReason } from '../protocol/server-message.ts';
import type { Viewer } from './viewer.ts';
import { deliveryTime, type DeliveryTime, type ViewerMeter } from './viewer-meter.ts';

/** What all subscriptions of a live tier share. */
export interface DeliveryContext {
  drainWatch: DrainWatch;
  memoryBudget: MemoryBudget;
  /** Bytes that may wait for one viewer. */
  viewerBudgetBytes: number;
}

export interface SubscriptionOptions {
  viewer: Viewer;
  stream: ViewerStream;
  channel: Channel;
  priority: Priority;
  context: DeliveryContext;
  /** Counts what the viewer is sent, in all its subscriptions. */
  meter: ViewerMeter;
  /** Catches the subscription up from its cursor. */
  catchUp: (subscription: Subscription) => void;
}

/** A viewer that was cut off is told to reconnect after this time at the earliest, and twice as long at the latest, ms. */
const evictedRetryMs = 2000;

/**
 * One viewer's use of one channel. While it is live it subscribes to the channel; while its socket is full its degradation level falls, and
 * what it is not sent is counted and announced. Before that it gets its history, which waits for the socket instead, because the log keeps
 * it.
 */
export class Subscription implements Subscriber {
  readonly stream: ViewerStream;
  readonly channel: Channel;
  readonly priority: Priority;
  /** The ids under which the client subscribed. */
  readonly ids = new Set<string>();
  slot = -1;
  readonly #viewer: Viewer;
  readonly #context: DeliveryContext;
  readonly #meter: ViewerMeter;
  readonly #startCatchUp: (subscription: Subscription) => void;
  #state: 'starting' | 'live' | 'paused' | 'closed' = 'starting';
  /** The last cursor that the viewer was sent. */
  #cursor = '';
  /** Counts the catch-ups, so that one that was interrupted by a pause notices. */
  #catchUp = 0;
  #degradation: Degradation | undefined;

  constructor({ viewer, stream, channel, priority, context, meter, catchUp }: SubscriptionOptions) {
    this.#viewer = viewer;
    this.stream = stream;
    this.channel = channel;
    this.priority = priority;
    this.#context = context;
    this.#meter = meter;
    this.#startCatchUp = catchUp;
  }

  get cursor(): string {
    return this.#cursor;
  }

  /** What operators see of it. */
  get figures(): SubscriptionFigures {
    const { ids, stream, channel } = this;
    return {
      ids: [...ids],
      stream: stream.kind.name,
      filter: channel.filter.canonical,
      state: this.#state === 'starting' ? 'catching-up' : this.#state,
      mode: this.#degradation?.level ?? 'full',
      behind: this.isCurrent && channel.isQuiet ? 0 : recordsBetween(this.#cursor, stream.cursor),
    };
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  get isPaused(): boolean {
    return this.#state === 'paused';
  }

  /** Whether it is live, and everything missed was announced to the viewer. */
  get isCurrent(): boolean {
    return this.#state === 'live' && this.#degradation === undefined;
  }

  /** Whether the socket has taken enough for more history. */
  get hasRoom(): boolean {
    return this.#viewer.queuedBytes <= this.#mark(0.5);
  }

  /** Tells the client that it is subscribed; everything after `cursor` follows. */
  confirm(id: string, cursor: string, resumed: boolean): void {
    this.#cursor = cursor;
    this.tell(serverMessage.subscribed(id, this.channel.id, cursor, resumed), cursor);
  }

  /** Begins a catch-up; returns a function that tells whether it is still wanted. */
  startCatchUp(): () => boolean {
    const number = ++this.#catchUp;
    this.#state = 'starting';
    return () => this.#catchUp === number && this.#state === 'starting' && this.#viewer.isOpen;
  }

  /** Subscribes to the channel at the stream's position; the viewer must have been sent everything before it. */
  goLive(cursor = this.#cursor): void {
    this.#cursor = cursor;
    this.stream.broadcast.join(this.channel, this, performance.now());
    this.#state = 'live';
  }

  /** Leaves the channel; the log keeps later events. A catch-up at `cursor` continues. */
  pause(): void {
    if (this.#state === 'live') {
      this.stream.broadcast.leave(this.channel, this);
      // Events that were left out and not announced come from the log as well.
      if (this.#degradation !== undefined) this.stream.stats.missed -= this.#degradation.missed;
      this.#degradation = undefined;
    }
    this.#catchUp++;
    this.#state = 'paused';
  }

  /** Ends a pause; a catch-up from its cursor must follow. */
  resume(): void {
    this.#state = 'starting';
  }

  readOn(cursor: string): void {
    if (this.#degradation === undefined) this.#cursor = cursor;
    this.pause();
    this.resume();
    this.#startCatchUp(this);
  }

  /** Sets the cursor of a subscription that is on another channel so far. */
  startAt(cursor: string): void {
    this.#cursor = cursor;
  }

  close(): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'live') this.stream.broadcast.leave(this.channel, this);
    this.#state = 'closed';
    this.stream.broadcast.release(this.channel);
  }

  deliver(batch: DeliveryBatch): void {
    if (!this.#viewer.isOpen || this.#degradation?.isOver) return;
    if (this.#degradation === undefined || this.#recover(this.#degradation)) {
      const bytes = this.#viewer.encode(batch);
      if (this.#fits(bytes, this.#mark(degradeAbove.full)))
        return this.#write(bytes, batch.cursor, batch.count, batch.time);
      this.#degradation = this.#beginDegradation();
    }
    this.#deliverDegraded(this.#degradation, batch);
  }

  /** Sends a page of the history, or announces that it is gone. */
  sendPage(page: HistoryPage): void {
    const { items, lost, cursor } = page;
    if (lost > 0) this.tellGap(this.#cursor, cursor, lost, 'retention');
    if (items.length === 0) return;
    this.stream.stats.catchUpEvents += items.length;
    const bytes = this.#viewer.encode(page.batch(this.stream, this.channel.id));
    this.#write(bytes, cursor, items.length, deliveryTime(Date.now()));
  }

  /** Resolves when the socket has room for more history, or the viewer is gone. */
  writable(): Promise<void> {
    return this.#context.drainWatch.until(
      () => this.#state !== 'starting' || !this.#viewer.isOpen || this.hasRoom,
    );
  }

  /** Tells the viewer that it does not get the events between its last cursor and this one. */
  tellGap(from: string, to: string, missed: number, reason: GapReason): void {
    this.stream.stats.gaps++;
    this.#meter.gaps++;
    this.#meter.missed += missed;
    this.#cursor = to;
    this.tell(serverMessage.gap(this.channel.id, from, to, missed, reason), to);
  }

  /** Moves the cursor of a viewer for whom nothing has matched for long, so that it resumes from near the end. */
  moveCursor(): void {
    const { cursor } = this.stream;
    if (!this.isCurrent || cursor === this.#cursor || !this.channel.isQuiet || !this.hasRoom) return;
    const batch = this.stream.broadcast.emptyBatch(this.channel);
    this.#write(this.#viewer.encode(batch), cursor, 0, batch.time);
  }

  /** Bytes that may wait at this share of the budget. */
  #mark(share: number): number {
    const { viewerBudgetBytes, memoryBudget } = this.#context;
    return viewerBudgetBytes * Math.min(1, share * memoryBudget.shareOf(this.priority));
  }

  #fits(bytes: Buffer, mark: number): boolean {
    const queued = this.#viewer.queuedBytes;
    if (queued === 0) return true;
    return queued + bytes.length <= mark && this.#context.memoryBudget.hasRoomFor(bytes.length);
  }

  #write(bytes: Buffer, cursor: string, events: number, time: DeliveryTime): void {
    this.#viewer.write(bytes);
    this.#meter.wrote(bytes.length, events, time);
    this.stream.stats.sentBytes += bytes.length;
    this.#cursor = cursor;
    this.#context.memoryBudget.wrote(this.#viewer, this.priority);
  }

  /** Sends a message of the protocol, which counts in the budget as items do: a viewer may ask for many and read none. */
  tell(message: string, cursor?: string): void {
    this.#viewer.tell(message, cursor);
    this.#context.memoryBudget.wrote(this.#viewer, this.priority);
  }

  #deliverDegraded(degradation: Degradation, batch: DeliveryBatch): void {
    let degraded = degrade(batch, degradation.level);
    let bytes = degraded.kept && this.#viewer.encode(degraded.kept);
    if (degradation.level === 'sampled' && bytes && !this.#fits(bytes, this.#mark(degradeAbove.sampled))) {
      degradation.level = 'counts';
      this.stream.stats.modeChanges.counts++;
      this.#tellMode(degradation, 'counts');
      degraded = degrade(batch, degradation.level);
      bytes = degraded.kept && this.#viewer.encode(degraded.kept);
    }
    // Events that were not announced come from the log when the viewer is back.
    if (bytes && !this.#fits(bytes, this.#context.viewerBudgetBytes * degradeAbove.counts))
      return this.#evict(degradation);
    const before = degradation.missed > 0 ? degradation.missedTo : this.#cursor;
    this.stream.stats.missed += degraded.leftOut;
    degradation.leaveOut(degraded, batch.cursor);
    if (!bytes) return;
    // Sent before the part, with a cursor that says that the part is still to come: a resume in between neither loses nor repeats it.
    if (degradation.missed > 0)
      this.#announce(degradation, announcedCursor(before, degradation.level, batch.cursor));
    this.#write(bytes, batch.cursor, degraded.kept?.count ?? 0, batch.time);
  }

  #beginDegradation(): Degradation {
    const degradation = new Degradation(performance.now());
    this.stream.stats.stepsDown++;
    this.stream.stats.modeChanges[degradation.level]++;
    this.tell(serverMessage.mode(this.channel.id, degradation.level, {}));
    this.#context.drainWatch.add(() => this.#poll(degradation));
    return degradation;
  }

  /** Recovers as far as the socket allows; returns true if the viewer is at full again. */
  #recover(degradation: Degradation): boolean {
    const queued = this.#viewer.queuedBytes;
    if (queued <= this.#mark(recoverBelow.sampled)) {
      this.#announce(degradation, degradation.missedTo);
      this.stream.stats.modeChanges.full++;
      this.#tellMode(degradation, 'full');
      this.#degradation = undefined;
      return true;
    }
    if (degradation.level === 'counts' && queued <= this.#mark(recoverBelow.counts)) {
      this.#announce(degradation, degradation.missedTo);
      degradation.level = 'sampled';
      this.stream.stats.modeChanges.sampled++;
      this.#tellMode(degradation, 'sampled');
    }
    return false;
  }

  /** Called regularly while the viewer is degraded; returns true when it no longer is. */
  #poll(degradation: Degradation): boolean {
    if (
      this.#degradation !== degradation ||
      degradation.isOver ||
      this.#state !== 'live' ||
      !this.#viewer.isOpen
    )
      return true;
    if (this.#recover(degradation)) return true;
    if (degradation.missed > 0 && this.hasRoom && performance.now() - degradation.toldAtMs >= tellEveryMs) {
      this.#announce(degradation, degradation.missedTo);
      this.#tellMode(degradation, degradation.level);
    }
    return false;
  }

  #announce(degradation: Degradation, to: string): void {
    const { missed } = degradation;
    if (missed === 0) return;
    degradation.missed = 0;
    this.tellGap(this.#cursor, to, missed, 'slow');
  }

  #tellMode(degradation: Degradation, level: DegradationLevel): void {
    degradation.toldAtMs = performance.now();
    this.tell(serverMessage.mode(this.channel.id, level, degradation.takeCounts()));
  }

  #evict(degradation: Degradation): void {
    const { stats } = this.stream;
    stats.missed -= degradation.missed;
    stats.evictions++;
    degradation.isOver = true;
    // Deferred: leaving a channel in the middle of a delivery finishes it first, and many may have to leave.
    setImmediate(() => this.#viewer.evict(Math.round(evictedRetryMs * (1 + Math.random()))));
  }
}
