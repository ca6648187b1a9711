import { Batch } from './batch.ts';
import type { StreamName } from './client-message.ts';
import { FilterIndex } from './filter-index.ts';
import type { LiveFilter, LiveItem } from './stream-kind.ts';

/** One viewer's place in a group. */
export interface Member {
  deliver(batch: Batch): void;
}

/** All viewers of one stream with the same filter; its channel is its name on the wire. */
export class Group {
  readonly channel: number;
  readonly filter: LiveFilter;
  /** Tells groups of the same filter apart. */
  readonly sibling: number;
  readonly members = new Set<Member>();
  /** Subscriptions that use the channel, members or still on their way. */
  holders = 0;
  open: LiveItem[] = [];
  openLength = 0;
  openedAt = 0;
  empty: Batch | undefined;
  flushedAt = Number.NEGATIVE_INFINITY;

  constructor(channel: number, filter: LiveFilter, sibling: number) {
    this.channel = channel;
    this.filter = filter;
    this.sibling = sibling;
  }
}

export interface BroadcastOptions {
  stream: StreamName;
  /** The longest that an event waits for others. */
  flushMs: number;
  /** The cursor of everything that accept() was given so far. */
  cursor: () => string;
  nextChannel: () => number;
}

/** A batch is flushed at this size, in UTF-16 units of JSON. */
export const maxBatchLength = 65_536;

/**
 * The heart of the live tier, without sockets, log or clock: each event is tested once per distinct filter, encoded once, and sent
 * as one batch to all viewers who share the filter. Members of a group get every matching event that was accepted while they were
 * in it, once, in order.
 */
export class Broadcast {
  readonly #options: BroadcastOptions;
  readonly #groups = new Map<string, Group>();
  readonly #index = new FilterIndex<Group>();
  readonly #matching: Group[] = [];
  // In the order in which their batches were opened, which is the order in which they fall due.
  readonly #pending = new Set<Group>();
  readonly #urgent = new Set<Group>();
  readonly counts = { tests: 0, flushes: 0, deliveries: 0 };

  constructor(options: BroadcastOptions) {
    this.#options = options;
  }

  get groupCount(): number {
    return this.#groups.size;
  }

  /** Members of all groups. */
  get viewerCount(): number {
    let count = 0;
    for (const group of this.#groups.values()) count += group.members.size;
    return count;
  }

  /**
   * The group of a filter, made if it is new, held until release(). `sibling` makes groups of the same filter that share nothing:
   * each has a channel of its own.
   */
  hold(filter: LiveFilter, sibling = 0): Group {
    const key = keyOf(filter, sibling);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = new Group(this.#options.nextChannel(), filter, sibling);
      this.#groups.set(key, group);
    }
    group.holders++;
    return group;
  }

  release(group: Group): void {
    if (--group.holders === 0) this.#groups.delete(keyOf(group.filter, group.sibling));
  }

  /** From the next accept() on, the member gets what matches. Those who are in the group get what is waiting now. */
  join(group: Group, member: Member, nowMs: number): void {
    this.flush(group, nowMs);
    if (group.members.size === 0) this.#index.add(group);
    group.members.add(member);
  }

  leave(group: Group, member: Member): void {
    if (!group.members.delete(member) || group.members.size > 0) return;
    this.#index.delete(group);
    this.#close(group);
  }

  /** Takes the next item of the stream; gives the number of viewers that it goes to. flushDue() must follow soon. */
  accept(item: LiveItem, nowMs: number): number {
    const matching = this.#matching;
    let viewers = 0;
    this.counts.tests += this.#index.match(item.subject(), matching);
    for (const group of matching) {
      viewers += group.members.size;
      this.#append(group, item, nowMs);
    }
    matching.length = 0;
    return viewers;
  }

  /** Sends the batches that are urgent or have waited long enough; gives the time when the next one is due, if there is one. */
  flushDue(nowMs: number): number | undefined {
    for (const group of this.#urgent) this.flush(group, nowMs);
    for (const group of this.#pending) {
      const due = group.openedAt + this.#options.flushMs;
      if (due > nowMs) return due;
      this.flush(group, nowMs);
    }
    return undefined;
  }

  flushAll(nowMs: number): void {
    for (const group of this.#pending) this.flush(group, nowMs);
  }

  /** Sends what the group has waiting, if anything. */
  flush(group: Group, nowMs: number): void {
    const { open } = group;
    if (open.length === 0) return;
    this.#close(group);
    group.flushedAt = nowMs;
    const batch = new Batch(this.#options.stream, group.channel, this.#options.cursor(), open);
    this.counts.flushes++;
    this.counts.deliveries += open.length * group.members.size;
    for (const member of group.members) member.deliver(batch);
  }

  /** A batch that only tells the cursor, one for all members; for groups with nothing waiting. */
  emptyBatch(group: Group): Batch {
    const cursor = this.#options.cursor();
    if (group.empty?.cursor !== cursor)
      group.empty = new Batch(this.#options.stream, group.channel, cursor, []);
    return group.empty;
  }

  #append(group: Group, item: LiveItem, nowMs: number): void {
    const { flushMs } = this.#options;
    if (group.open.length === 0) {
      group.openedAt = nowMs;
      this.#pending.add(group);
      if (item.urgent && nowMs - group.flushedAt >= flushMs) this.#urgent.add(group);
    }
    group.open.push(item);
    group.openLength += item.json().length + 1;
    if (group.openLength >= maxBatchLength) this.flush(group, nowMs);
  }

  #close(group: Group): void {
    group.open = [];
    group.openLength = 0;
    this.#pending.delete(group);
    this.#urgent.delete(group);
  }
}

function keyOf({ canonical }: LiveFilter, sibling: number): string {
  return `${sibling} ${canonical}`;
}
