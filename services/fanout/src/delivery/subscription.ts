import type { Batch } from '../encoding/batch.ts';
import type { Group, Member } from './broadcast.ts';
import { announcedCursor } from '../protocol/cursor.ts';
import type { DrainWatch } from './drain-watch.ts';
import type { HistoryPage } from '../history/history-page.ts';
import { partOf, type LadderMode } from './ladder-part.ts';
import { Ladder, stepsDownAt, stepsUpAt, tellEveryMs } from './ladder.ts';
import type { LiveStream } from '../stream/live-stream.ts';
import type { Pressure } from './pressure.ts';
import type { Priority } from '../protocol/priority.ts';
import { serverMessage, type GapReason } from '../protocol/server-message.ts';
import type { Viewer } from './viewer.ts';

/** What all subscriptions of a live tier share. */
export interface DeliveryContext {
  drainWatch: DrainWatch;
  pressure: Pressure;
  /** Bytes that may wait for one viewer. */
  budget: number;
}

export interface SubscriptionOptions {
  viewer: Viewer;
  stream: LiveStream;
  group: Group;
  priority: Priority;
  context: DeliveryContext;
  /** Catches the subscription up from its cursor. */
  catchUp: (subscription: Subscription) => void;
}

/** A viewer that was cut off comes back after so long at the earliest, and twice that at the latest. */
const evictedRetryMs = 2000;

/**
 * One viewer's use of one channel. Live, it is a member of the group; while its socket is full it steps down the ladder, and what it
 * is not sent is counted and announced. Before that it gets its history, which waits for the socket instead: the log keeps it.
 */
export class Subscription implements Member {
  readonly stream: LiveStream;
  readonly group: Group;
  readonly priority: Priority;
  /** The ids under which the client subscribed. */
  readonly ids = new Set<string>();
  slot = -1;
  readonly #viewer: Viewer;
  readonly #context: DeliveryContext;
  readonly #startCatchUp: (subscription: Subscription) => void;
  #state: 'starting' | 'live' | 'paused' | 'closed' = 'starting';
  /** The last cursor that the viewer was sent. */
  #cursor = '';
  /** Counts the catch-ups, so that one that was overtaken by a pause knows. */
  #catchUp = 0;
  #ladder: Ladder | undefined;

  constructor({ viewer, stream, group, priority, context, catchUp }: SubscriptionOptions) {
    this.#viewer = viewer;
    this.stream = stream;
    this.group = group;
    this.priority = priority;
    this.#context = context;
    this.#startCatchUp = catchUp;
  }

  get cursor(): string {
    return this.#cursor;
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  get isPaused(): boolean {
    return this.#state === 'paused';
  }

  /** Live, and nothing was missed that the viewer does not know of. */
  get isCurrent(): boolean {
    return this.#state === 'live' && this.#ladder === undefined;
  }

  /** Whether the socket has taken enough for more history. */
  get hasRoom(): boolean {
    return this.#viewer.queuedBytes <= this.#mark(0.5);
  }

  /** Tells the client that it is subscribed; everything after `cursor` follows. */
  confirm(id: string, cursor: string, resumed: boolean): void {
    this.#cursor = cursor;
    this.#viewer.tell(serverMessage.subscribed(id, this.group.channel, cursor, resumed), cursor);
  }

  /** Gives the function that tells whether the catch-up which begins now is still wanted. */
  startCatchUp(): () => boolean {
    const number = ++this.#catchUp;
    this.#state = 'starting';
    return () => this.#catchUp === number && this.#state === 'starting' && this.#viewer.isOpen;
  }

  /** Becomes a member of the group at the stream's position; the viewer must have been sent everything before it. */
  goLive(cursor = this.#cursor): void {
    this.#cursor = cursor;
    this.stream.broadcast.join(this.group, this, performance.now());
    this.#state = 'live';
  }

  /** Leaves the group; what comes is left to the log. A catch-up at `cursor` goes on. */
  pause(): void {
    if (this.#state === 'live') {
      this.stream.broadcast.leave(this.group, this);
      // What was left out and not announced comes from the log as well.
      if (this.#ladder !== undefined) this.stream.stats.missed -= this.#ladder.missed;
      this.#ladder = undefined;
    }
    this.#catchUp++;
    this.#state = 'paused';
  }

  /** Ends a pause; a catch-up from its cursor must follow. */
  resume(): void {
    this.#state = 'starting';
  }

  readOn(cursor: string): void {
    if (this.#ladder === undefined) this.#cursor = cursor;
    this.pause();
    this.resume();
    this.#startCatchUp(this);
  }

  /** Sets the cursor of one that the client has on another channel so far. */
  startAt(cursor: string): void {
    this.#cursor = cursor;
  }

  close(): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'live') this.stream.broadcast.leave(this.group, this);
    this.#state = 'closed';
    this.stream.broadcast.release(this.group);
  }

  deliver(batch: Batch): void {
    if (!this.#viewer.isOpen || this.#ladder?.isOver) return;
    if (this.#ladder === undefined || this.#stepUp(this.#ladder)) {
      const bytes = this.#viewer.encode(batch);
      if (this.#fits(bytes, this.#mark(stepsDownAt.full))) return this.#write(bytes, batch.cursor);
      this.#ladder = this.#stepDown();
    }
    this.#deliverPart(this.#ladder, batch);
  }

  /** Sends a page of the history, or tells that it is gone. */
  sendPage(page: HistoryPage): void {
    const { items, lost, cursor } = page;
    if (lost > 0) this.tellGap(this.#cursor, cursor, lost, 'retention');
    if (items.length === 0) return;
    this.stream.stats.catchUpEvents += items.length;
    this.#write(this.#viewer.encode(page.batch(this.stream, this.group.channel)), cursor);
  }

  /** Resolves when the socket has taken enough for more history, or when there is nobody left to send to. */
  writable(): Promise<void> {
    return this.#context.drainWatch.until(
      () => this.#state !== 'starting' || !this.#viewer.isOpen || this.hasRoom,
    );
  }

  /** Tells the viewer that it does not get what lies between its last cursor and this one. */
  tellGap(from: string, to: string, missed: number, reason: GapReason): void {
    this.stream.stats.gaps++;
    this.#cursor = to;
    this.#tell(serverMessage.gap(this.group.channel, from, to, missed, reason), to);
  }

  /** Moves the cursor of a viewer for whom nothing has matched for long, so that it resumes from near the end. */
  moveCursor(): void {
    const { cursor } = this.stream;
    if (!this.isCurrent || cursor === this.#cursor || !this.group.isQuiet || !this.hasRoom) return;
    this.#write(this.#viewer.encode(this.stream.broadcast.emptyBatch(this.group)), cursor);
  }

  /** Bytes that may wait before the step at this share of the budget. */
  #mark(share: number): number {
    const { budget, pressure } = this.#context;
    return budget * Math.min(1, share * pressure.shareOf(this.priority));
  }

  #fits(bytes: Buffer, mark: number): boolean {
    const queued = this.#viewer.queuedBytes;
    if (queued === 0) return true;
    return queued + bytes.length <= mark && this.#context.pressure.hasRoomFor(bytes.length);
  }

  #write(bytes: Buffer, cursor: string): void {
    this.#viewer.write(bytes);
    this.#cursor = cursor;
    this.#context.pressure.wrote(this.#viewer, this.priority);
  }

  #tell(message: string, cursor?: string): void {
    this.#viewer.tell(message, cursor);
    this.#context.pressure.wrote(this.#viewer, this.priority);
  }

  #deliverPart(ladder: Ladder, batch: Batch): void {
    let part = partOf(batch, ladder.mode);
    let bytes = part.kept && this.#viewer.encode(part.kept);
    if (ladder.mode === 'sampled' && bytes && !this.#fits(bytes, this.#mark(stepsDownAt.sampled))) {
      ladder.mode = 'counts';
      this.#tellMode(ladder, 'counts');
      part = partOf(batch, ladder.mode);
      bytes = part.kept && this.#viewer.encode(part.kept);
    }
    // Whatever was not announced comes from the log when the viewer is back.
    if (bytes && !this.#fits(bytes, this.#context.budget * stepsDownAt.counts)) return this.#evict(ladder);
    const before = ladder.missed > 0 ? ladder.missedTo : this.#cursor;
    this.stream.stats.missed += part.leftOut;
    ladder.leaveOut(part, batch.cursor);
    if (!bytes) return;
    // Ahead of the part, and with a cursor that says that the part is still to come: nobody loses or doubles it in between.
    if (ladder.missed > 0) this.#announce(ladder, announcedCursor(before, ladder.mode, batch.cursor));
    this.#write(bytes, batch.cursor);
  }

  #stepDown(): Ladder {
    const ladder = new Ladder(performance.now());
    this.stream.stats.stepsDown++;
    this.#tell(serverMessage.mode(this.group.channel, ladder.mode, {}));
    this.#context.drainWatch.add(() => this.#lookAgain(ladder));
    return ladder;
  }

  /** Steps up as far as the socket allows; true when nothing is left of the ladder. */
  #stepUp(ladder: Ladder): boolean {
    const queued = this.#viewer.queuedBytes;
    if (queued <= this.#mark(stepsUpAt.sampled)) {
      this.#announce(ladder, ladder.missedTo);
      this.#tellMode(ladder, 'full');
      this.#ladder = undefined;
      return true;
    }
    if (ladder.mode === 'counts' && queued <= this.#mark(stepsUpAt.counts)) {
      this.#announce(ladder, ladder.missedTo);
      ladder.mode = 'sampled';
      this.#tellMode(ladder, 'sampled');
    }
    return false;
  }

  /** Called now and then while the viewer is on the ladder; true when it is not any more. */
  #lookAgain(ladder: Ladder): boolean {
    if (this.#ladder !== ladder || ladder.isOver || this.#state !== 'live' || !this.#viewer.isOpen)
      return true;
    if (this.#stepUp(ladder)) return true;
    if (ladder.missed > 0 && this.hasRoom && performance.now() - ladder.toldAt >= tellEveryMs) {
      this.#announce(ladder, ladder.missedTo);
      this.#tellMode(ladder, ladder.mode);
    }
    return false;
  }

  #announce(ladder: Ladder, to: string): void {
    const { missed } = ladder;
    if (missed === 0) return;
    ladder.missed = 0;
    this.tellGap(this.#cursor, to, missed, 'slow');
  }

  #tellMode(ladder: Ladder, mode: 'full' | LadderMode): void {
    ladder.toldAt = performance.now();
    this.#tell(serverMessage.mode(this.group.channel, mode, ladder.takeCounts()));
  }

  #evict(ladder: Ladder): void {
    const { stats } = this.stream;
    stats.missed -= ladder.missed;
    stats.evictions++;
    ladder.isOver = true;
    // Later: leaving a group in the middle of a delivery finishes it first, and many may have to go.
    setImmediate(() => this.#viewer.evict(Math.round(evictedRetryMs * (1 + Math.random()))));
  }
}
