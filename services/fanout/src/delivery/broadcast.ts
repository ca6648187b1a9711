import { DeliveryBatch } from '../encoding/delivery-batch.ts';
import type { StreamName } from '../protocol/client-message.ts';
import { FilterIndex } from './filter-index.ts';
import { FlushPace } from './flush-pace.ts';
import type { LiveFilter, LiveItem } from '../stream/stream-kind.ts';

/** One viewer's subscription to a channel. */
export interface Subscriber {
  /** The broadcast's own: its index among the subscribers. */
  slot: number;
  deliver(batch: DeliveryBatch): void;
  /** The stream has skipped something: the subscriber, who has everything before this cursor, leaves and reads the log itself. */
  readOn(cursor: string): void;
}

/** All subscribers of one stream with the same filter, who get the same messages. */
export class Channel {
  readonly id: number;
  readonly filter: LiveFilter;
  /** Distinguishes channels of the same filter. */
  readonly sibling: number;
  // An array and not a set: each batch walks it, and it takes a fourth of the memory.
  readonly subscribers: Subscriber[] = [];
  /** Subscriptions that use the channel, subscribed or still catching up. */
  uses = 0;
  open: LiveItem[] = [];
  openLength = 0;
  openedAtMs = 0;
  /** The batch that the subscribers before `sent` have already and the others have not. */
  sending: DeliveryBatch | undefined;
  sent = 0;
  empty: DeliveryBatch | undefined;
  flushedAtMs = Number.NEGATIVE_INFINITY;

  constructor(id: number, filter: LiveFilter, sibling: number) {
    this.id = id;
    this.filter = filter;
    this.sibling = sibling;
  }

  /** Whether every subscriber has everything that was accepted. */
  get isQuiet(): boolean {
    return this.open.length === 0 && this.sending === undefined;
  }
}

/** Counts tests of filters, batches, and sent items. */
export interface BroadcastCounts {
  tests: number;
  flushes: number;
  deliveries: number;
}

export interface BroadcastOptions {
  stream: StreamName;
  /** The longest that an event waits for others, milliseconds. */
  flushMs: number;
  /** A monotonic clock in milliseconds; the times that are passed in are of the same clock. */
  nowMs: () => number;
  /** The cursor after everything that accept() has received so far. */
  cursor: () => string;
  nextChannelId: () => number;
  /** Its counters; broadcasts may share them. Default: its own. */
  counts?: BroadcastCounts;
  /** Told once for each batch that all subscribers have: when its oldest item was appended, ms since 1970, and items times subscribers. */
  onSent?: ((appendedAtMs: number, deliveries: number) => void) | undefined;
  /** Subscribers that a batch is delivered to between two looks at the clock; default: 64. */
  stride?: number;
}

/** A batch is flushed at this size, in UTF-16 units of JSON. */
export const maxBatchLength = 65_536;

/** Milliseconds of sending after which sockets, timers and other streams run. */
const sliceMs = 5;

/**
 * The heart of the live tier, without sockets, log or timers: each event is tested once per distinct filter, encoded once, and sent
 * as one batch to all viewers who share the filter. Subscribers of a channel get every matching event that was accepted while they were
 * in it, once, in order.
 */
export class Broadcast {
  readonly #options: BroadcastOptions;
  readonly #channels = new Map<string, Channel>();
  readonly #index = new FilterIndex<Channel>();
  readonly #matching: Channel[] = [];
  // In the order in which their batches were opened, which is the order in which they become due.
  readonly #pending = new Set<Channel>();
  /** Those of them that hold an error. */
  readonly #urgent = new Set<Channel>();
  /** The channels whose batch is being delivered, the next one first. */
  readonly #sending: Channel[] = [];
  /** When the pass over the channels that were due began, if it has not ended. */
  #passStartMs: number | undefined;
  #passMs = 0;
  readonly pace: FlushPace;
  readonly counts: BroadcastCounts;

  constructor(options: BroadcastOptions) {
    this.#options = options;
    this.counts = options.counts ?? { tests: 0, flushes: 0, deliveries: 0 };
    this.pace = new FlushPace(options.flushMs);
  }

  get channelCount(): number {
    return this.#channels.size;
  }

  /** Subscribers of all channels. */
  get viewerCount(): number {
    let count = 0;
    for (const channel of this.#channels.values()) count += channel.subscribers.length;
    return count;
  }

  /**
   * The channel of a filter, made if it is new, and kept until release(). A `sibling` is another channel of the same filter; the two share nothing.
   */
  hold(filter: LiveFilter, sibling = 0): Channel {
    const key = keyOf(filter, sibling);
    let channel = this.#channels.get(key);
    if (channel === undefined) {
      channel = new Channel(this.#options.nextChannelId(), filter, sibling);
      this.#channels.set(key, channel);
    }
    channel.uses++;
    return channel;
  }

  release(channel: Channel): void {
    if (--channel.uses === 0) this.#channels.delete(keyOf(channel.filter, channel.sibling));
  }

  /** From the next accept() on, the subscriber gets matching items. The present subscribers get what is waiting now. */
  join(channel: Channel, subscriber: Subscriber, nowMs: number): void {
    this.flush(channel, nowMs);
    if (channel.subscribers.length === 0) this.#index.add(channel);
    subscriber.slot = channel.subscribers.length;
    channel.subscribers.push(subscriber);
  }

  /** Batches in delivery may no longer reach the subscriber. Subscribers may leave during a delivery. */
  leave(channel: Channel, subscriber: Subscriber): void {
    const { subscribers } = channel;
    let { slot } = subscriber;
    if (subscribers[slot] !== subscriber) return;
    if (slot < channel.sent) {
      // The gap moves to the border between subscribers that have the batch and those that do not, and from there to the end.
      channel.sent--;
      place(subscribers, slot, subscribers[channel.sent]!);
      slot = channel.sent;
    }
    const last = subscribers.pop()!;
    if (slot < subscribers.length) place(subscribers, slot, last);
    subscriber.slot = -1;
    if (subscribers.length > 0) return;
    this.#index.delete(channel);
    this.#close(channel);
    this.#sent(channel);
  }

  /** Takes the next item of the stream; returns the number of viewers that it goes to. flushDue() must follow soon. */
  accept(item: LiveItem, nowMs: number): number {
    if (this.#index.isEmpty) return 0;
    const matching = this.#matching;
    let viewers = 0;
    this.counts.tests += this.#index.match(item.subject(), matching);
    for (const channel of matching) {
      viewers += channel.subscribers.length;
      this.#append(channel, item, nowMs);
    }
    matching.length = 0;
    return viewers;
  }

  /**
   * Sends the batches that are due, those with errors first, for some milliseconds; returns the time at which to call it again,
   * which is `nowMs` when there is more to send, undefined when nothing waits.
   */
  flushDue(nowMs: number): number | undefined {
    const untilMs = nowMs + sliceMs;
    let atMs = nowMs;
    for (;;) {
      this.#beginDue(nowMs);
      const channel = this.#sending[0];
      if (channel === undefined) break;
      if (atMs >= untilMs) {
        this.#passMs += atMs - nowMs;
        return nowMs;
      }
      atMs = this.#sendSome(channel, untilMs);
    }
    if (this.#passStartMs !== undefined) {
      this.pace.passed(atMs, this.#passMs + atMs - nowMs);
      this.#passStartMs = undefined;
      this.#passMs = 0;
    }
    return this.#nextDueMs();
  }

  flushAll(nowMs: number): void {
    for (const channel of [...this.#sending, ...this.#pending]) this.flush(channel, nowMs);
  }

  /** Makes all subscribers leave and read the log themselves; `cursor` is that of everything sent, and nothing may be waiting. */
  disperse(cursor: string): void {
    for (const channel of [...this.#channels.values()])
      for (const subscriber of [...channel.subscribers]) subscriber.readOn(cursor);
  }

  /** Sends all that the channel has waiting, if anything. */
  flush(channel: Channel, nowMs: number): void {
    this.#finish(channel);
    if (channel.open.length === 0) return;
    this.#begin(channel, nowMs);
    this.#finish(channel);
  }

  /** Sends a batch that only moves the cursor, one for all subscribers; for channels with nothing waiting. */
  emptyBatch(channel: Channel): DeliveryBatch {
    const cursor = this.#options.cursor();
    if (channel.empty?.cursor !== cursor)
      channel.empty = new DeliveryBatch(this.#options.stream, channel.id, cursor, []);
    return channel.empty;
  }

  #append(channel: Channel, item: LiveItem, nowMs: number): void {
    if (channel.open.length === 0) {
      channel.openedAtMs = nowMs;
      this.#pending.add(channel);
    }
    if (item.urgent) this.#urgent.add(channel);
    channel.open.push(item);
    channel.openLength += item.json().length + 1;
    // Even if another batch is in delivery: items that arrive faster than they can be sent must not pile up here.
    if (channel.openLength >= maxBatchLength) this.flush(channel, nowMs);
  }

  /** Starts the delivery of due batches: all urgent ones before the others, and of the others only the oldest. */
  #beginDue(nowMs: number): void {
    for (const channel of this.#urgent) {
      if (channel.sending !== undefined || this.#urgentAtMs(channel) > nowMs) continue;
      this.#passStartMs ??= nowMs;
      this.#begin(channel, nowMs);
      this.#sending.unshift(channel);
    }
    if (this.#sending.length > 0) return;
    const [channel] = this.#pending;
    if (channel === undefined || this.#dueAtMs(channel) > nowMs) return;
    this.#passStartMs ??= nowMs;
    this.#begin(channel, nowMs);
    this.#sending.push(channel);
  }

  #nextDueMs(): number | undefined {
    const [oldest] = this.#pending;
    if (oldest === undefined) return undefined;
    let dueAtMs = this.#dueAtMs(oldest);
    for (const channel of this.#urgent) dueAtMs = Math.min(dueAtMs, this.#urgentAtMs(channel));
    return dueAtMs;
  }

  #dueAtMs({ openedAtMs }: Channel): number {
    // Items that arrive during a pass belong to the next one, unless the pass takes too long.
    if (this.#passStartMs !== undefined && openedAtMs > this.#passStartMs)
      return openedAtMs + this.#options.flushMs;
    return this.pace.dueAtMs(openedAtMs);
  }

  /** An error waits for no pass; only many of them in one channel are kept apart. */
  #urgentAtMs({ openedAtMs, flushedAtMs }: Channel): number {
    return Math.max(openedAtMs, Math.min(openedAtMs + this.#options.flushMs, flushedAtMs + this.pace.waitMs));
  }

  /** Makes the open batch the one that is being sent. */
  #begin(channel: Channel, nowMs: number): void {
    const { open, subscribers } = channel;
    this.#close(channel);
    channel.flushedAtMs = nowMs;
    channel.sending = new DeliveryBatch(this.#options.stream, channel.id, this.#options.cursor(), open, true);
    channel.sent = 0;
    this.counts.flushes++;
    this.counts.deliveries += open.length * subscribers.length;
  }

  /** Delivers the batch to the next subscribers until the time is up or all have it; returns the time. */
  #sendSome(channel: Channel, untilMs: number): number {
    const { subscribers, sending } = channel;
    let atMs: number;
    do {
      // A subscriber may leave when it gets the batch, alone or with others.
      for (let left = this.#options.stride ?? 64; left > 0 && channel.sent < subscribers.length; left--)
        subscribers[channel.sent++]!.deliver(sending!);
      atMs = this.#options.nowMs();
    } while (atMs < untilMs && channel.sent < subscribers.length);
    if (channel.sent >= subscribers.length) this.#sent(channel);
    return atMs;
  }

  #finish(channel: Channel): void {
    while (channel.sending !== undefined) this.#sendSome(channel, Number.POSITIVE_INFINITY);
  }

  #sent(channel: Channel): void {
    const { sending, sent } = channel;
    if (sending !== undefined) this.#options.onSent?.(sending.items[0]!.timestampMs, sending.count * sent);
    channel.sending = undefined;
    channel.sent = 0;
    const at = this.#sending.indexOf(channel);
    if (at >= 0) this.#sending.splice(at, 1);
  }

  #close(channel: Channel): void {
    channel.open = [];
    channel.openLength = 0;
    this.#pending.delete(channel);
    this.#urgent.delete(channel);
  }
}

function place(subscribers: Subscriber[], slot: number, subscriber: Subscriber): void {
  subscribers[slot] = subscriber;
  subscriber.slot = slot;
}

function keyOf({ canonical }: LiveFilter, sibling: number): string {
  return `${sibling} ${canonical}`;
}
