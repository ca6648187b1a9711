import { Batch } from './batch.ts';
import { maxBatchLength, type Group, type Member } from './broadcast.ts';
import type { DrainWatch } from './drain-watch.ts';
import type { LiveStream } from './live-stream.ts';
import { serverMessage, type GapReason } from './server-message.ts';
import type { LiveItem } from './stream-kind.ts';
import type { Viewer } from './viewer.ts';

export interface SubscriptionContext {
  viewer: Viewer;
  stream: LiveStream;
  group: Group;
  drainWatch: DrainWatch;
  /** Bytes that may wait for the viewer before it misses batches. */
  budget: number;
}

/**
 * One viewer's use of one channel. Live, it is a member of the group and may miss batches, exactly counted, while its socket is
 * full. Before that it gets its history, which waits for the socket instead: the log keeps it.
 */
export class Subscription implements Member {
  readonly stream: LiveStream;
  readonly group: Group;
  /** The ids under which the client subscribed. */
  readonly ids = new Set<string>();
  slot = -1;
  readonly #viewer: Viewer;
  readonly #drainWatch: DrainWatch;
  readonly #budget: number;
  #state: 'starting' | 'live' | 'closed' = 'starting';
  /** The last cursor that the viewer was sent. */
  #cursor = '';
  #missed = 0;
  #missedTo = '';
  #history: LiveItem[] = [];
  #historyLength = 0;

  constructor({ viewer, stream, group, drainWatch, budget }: SubscriptionContext) {
    this.#viewer = viewer;
    this.stream = stream;
    this.group = group;
    this.#drainWatch = drainWatch;
    this.#budget = budget;
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** Live, and nothing was missed that the viewer does not know of. */
  get isCurrent(): boolean {
    return this.#state === 'live' && this.#missed === 0;
  }

  /** Tells the client that it is subscribed; everything after `cursor` follows. */
  confirm(id: string, cursor: string, resumed: boolean): void {
    this.#cursor = cursor;
    this.#viewer.tell(serverMessage.subscribed(id, this.group.channel, cursor, resumed), cursor);
  }

  /** Becomes a member of the group at the stream's position; the viewer must have been sent everything before it. */
  goLive(): void {
    this.stream.broadcast.join(this.group, this, performance.now());
    this.#state = 'live';
  }

  close(): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'live') this.stream.broadcast.leave(this.group, this);
    this.#state = 'closed';
    this.stream.broadcast.release(this.group);
  }

  deliver(batch: Batch): void {
    if (!this.#viewer.isOpen) return;
    if (this.#missed > 0 && !this.#announceMissed()) return this.#miss(batch);
    const bytes = this.#viewer.encode(batch);
    const queued = this.#viewer.queuedBytes;
    if (queued > 0 && queued + bytes.length > this.#budget) return this.#miss(batch);
    this.#viewer.write(bytes);
    this.#cursor = batch.cursor;
  }

  /** Adds an item of the history; it is sent with sendHistory(). True when enough has come together to send it now. */
  addHistory(item: LiveItem): boolean {
    this.#history.push(item);
    this.#historyLength += item.json().length + 1;
    return this.#historyLength >= maxBatchLength;
  }

  /** Sends the items that were added; `cursor` stands for everything up to the last one. */
  sendHistory(cursor: string): void {
    if (this.#history.length === 0) return;
    const items = this.#history;
    this.#history = [];
    this.#historyLength = 0;
    this.stream.stats.catchUpEvents += items.length;
    this.#send(new Batch(this.stream.kind.name, this.group.channel, cursor, items));
  }

  /** Resolves when the socket has taken enough for more history, or when there is nobody left to send to. */
  writable(): Promise<void> {
    return this.#drainWatch.until(() => this.isClosed || !this.#viewer.isOpen || this.#hasRoom);
  }

  /** Tells the viewer that it does not get what lies between its last cursor and this one. */
  tellGap(from: string, to: string, missed: number, reason: GapReason): void {
    this.stream.stats.gaps++;
    this.#cursor = to;
    this.#viewer.tell(serverMessage.gap(this.group.channel, from, to, missed, reason), to);
  }

  /** Moves the cursor of a viewer for whom nothing has matched for long, so that it resumes from near the end. */
  moveCursor(): void {
    const { cursor } = this.stream;
    if (!this.isCurrent || cursor === this.#cursor || !this.group.isQuiet || !this.#hasRoom) return;
    this.#send(this.stream.broadcast.emptyBatch(this.group));
  }

  get #hasRoom(): boolean {
    return this.#viewer.queuedBytes * 2 <= this.#budget;
  }

  #send(batch: Batch): void {
    this.#viewer.write(this.#viewer.encode(batch));
    this.#cursor = batch.cursor;
  }

  #miss(batch: Batch): void {
    if (this.#missed === 0) this.#drainWatch.add(() => this.#announceMissed() || !this.#viewer.isOpen);
    this.#missed += batch.count;
    this.#missedTo = batch.cursor;
    this.stream.stats.missed += batch.count;
  }

  /** True when nothing is left to announce. */
  #announceMissed(): boolean {
    if (this.#missed === 0 || this.isClosed) return true;
    if (!this.#hasRoom) return false;
    const missed = this.#missed;
    this.#missed = 0;
    this.tellGap(this.#cursor, this.#missedTo, missed, 'slow');
    return true;
  }
}
