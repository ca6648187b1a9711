import { Batch } from '../encoding/batch.ts';
import type { StreamName } from '../protocol/client-message.ts';
import { FilterIndex } from './filter-index.ts';
import { FlushPace } from './flush-pace.ts';
import type { LiveFilter, LiveItem } from '../stream/stream-kind.ts';

/** One viewer's place in a group. */
export interface Member {
  /** The broadcast's own: where it stands among the members. */
  slot: number;
  deliver(batch: Batch): void;
  /** The stream has passed over something: the member, who has everything before this cursor, leaves and reads on by itself. */
  readOn(cursor: string): void;
}

/** All viewers of one stream with the same filter; its channel is its name on the wire. */
export class Group {
  readonly channel: number;
  readonly filter: LiveFilter;
  /** Tells groups of the same filter apart. */
  readonly sibling: number;
  // An array and not a set: it is gone through for each batch, and takes a fourth of the memory.
  readonly members: Member[] = [];
  /** Subscriptions that use the channel, members or still on their way. */
  holders = 0;
  open: LiveItem[] = [];
  openLength = 0;
  openedAt = 0;
  /** The batch that some members have and those from `sent` on have not. */
  sending: Batch | undefined;
  sent = 0;
  empty: Batch | undefined;
  flushedAt = Number.NEGATIVE_INFINITY;

  constructor(channel: number, filter: LiveFilter, sibling: number) {
    this.channel = channel;
    this.filter = filter;
    this.sibling = sibling;
  }

  /** Whether every member has everything that was accepted. */
  get isQuiet(): boolean {
    return this.open.length === 0 && this.sending === undefined;
  }
}

export interface BroadcastOptions {
  stream: StreamName;
  /** The longest that an event waits for others, milliseconds. */
  flushMs: number;
  /** Milliseconds of a clock that never goes back; the times that are passed in are of the same. */
  now: () => number;
  /** The cursor of everything that accept() was given so far. */
  cursor: () => string;
  nextChannel: () => number;
  /** Members that are given a batch between two looks at the clock; 64 when it is absent. */
  stride?: number;
}

/** A batch is flushed at this size, in UTF-16 units of JSON. */
export const maxBatchLength = 65_536;

/** Milliseconds of sending after which sockets, timers and other streams have their turn. */
const sliceMs = 5;

/**
 * The heart of the live tier, without sockets, log or timers: each event is tested once per distinct filter, encoded once, and sent
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
  /** Those of them that hold an error. */
  readonly #urgent = new Set<Group>();
  /** Whose batch is on its way to the members, the next one first. */
  readonly #sending: Group[] = [];
  /** When the pass over the groups that were due began, if it has not ended. */
  #passStart: number | undefined;
  #passMs = 0;
  readonly pace: FlushPace;
  readonly counts = { tests: 0, flushes: 0, deliveries: 0 };

  constructor(options: BroadcastOptions) {
    this.#options = options;
    this.pace = new FlushPace(options.flushMs);
  }

  get groupCount(): number {
    return this.#groups.size;
  }

  /** Members of all groups. */
  get viewerCount(): number {
    let count = 0;
    for (const group of this.#groups.values()) count += group.members.length;
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
    if (group.members.length === 0) this.#index.add(group);
    member.slot = group.members.length;
    group.members.push(member);
  }

  /** What is on its way to the group may no longer reach the member. Members may leave while they are given a batch. */
  leave(group: Group, member: Member): void {
    const { members } = group;
    let { slot } = member;
    if (members[slot] !== member) return;
    if (slot < group.sent) {
      // The gap moves to the border between those who have the batch and those who have not, and from there to the end.
      group.sent--;
      place(members, slot, members[group.sent]!);
      slot = group.sent;
    }
    const last = members.pop()!;
    if (slot < members.length) place(members, slot, last);
    member.slot = -1;
    if (members.length > 0) return;
    this.#index.delete(group);
    this.#close(group);
    this.#sent(group);
  }

  /** Takes the next item of the stream; gives the number of viewers that it goes to. flushDue() must follow soon. */
  accept(item: LiveItem, nowMs: number): number {
    if (this.#index.isEmpty) return 0;
    const matching = this.#matching;
    let viewers = 0;
    this.counts.tests += this.#index.match(item.subject(), matching);
    for (const group of matching) {
      viewers += group.members.length;
      this.#append(group, item, nowMs);
    }
    matching.length = 0;
    return viewers;
  }

  /**
   * Sends the batches that are due, those with errors first, for some milliseconds; gives the time when it wants to be called again,
   * which is `nowMs` when there is more to send, undefined when nothing waits.
   */
  flushDue(nowMs: number): number | undefined {
    const until = nowMs + sliceMs;
    let at = nowMs;
    for (;;) {
      this.#beginDue(nowMs);
      const group = this.#sending[0];
      if (group === undefined) break;
      if (at >= until) {
        this.#passMs += at - nowMs;
        return nowMs;
      }
      at = this.#sendSome(group, until);
    }
    if (this.#passStart !== undefined) {
      this.pace.passed(at, this.#passMs + at - nowMs);
      this.#passStart = undefined;
      this.#passMs = 0;
    }
    return this.#nextDue();
  }

  flushAll(nowMs: number): void {
    for (const group of [...this.#sending, ...this.#pending]) this.flush(group, nowMs);
  }

  /** Sends everybody away to read on by themselves; `cursor` is that of what was sent, and nothing may be waiting. */
  disperse(cursor: string): void {
    for (const group of [...this.#groups.values()])
      for (const member of [...group.members]) member.readOn(cursor);
  }

  /** Sends all that the group has waiting, if anything. */
  flush(group: Group, nowMs: number): void {
    this.#finish(group);
    if (group.open.length === 0) return;
    this.#begin(group, nowMs);
    this.#finish(group);
  }

  /** A batch that only tells the cursor, one for all members; for groups with nothing waiting. */
  emptyBatch(group: Group): Batch {
    const cursor = this.#options.cursor();
    if (group.empty?.cursor !== cursor)
      group.empty = new Batch(this.#options.stream, group.channel, cursor, []);
    return group.empty;
  }

  #append(group: Group, item: LiveItem, nowMs: number): void {
    if (group.open.length === 0) {
      group.openedAt = nowMs;
      this.#pending.add(group);
    }
    if (item.urgent) this.#urgent.add(group);
    group.open.push(item);
    group.openLength += item.json().length + 1;
    // Whatever else is on its way: what comes faster than it can be sent must not pile up here.
    if (group.openLength >= maxBatchLength) this.flush(group, nowMs);
  }

  /** Puts the batches that are due on their way: every urgent one ahead of all others, of those only the oldest. */
  #beginDue(nowMs: number): void {
    for (const group of this.#urgent) {
      if (group.sending !== undefined || this.#urgentAt(group) > nowMs) continue;
      this.#passStart ??= nowMs;
      this.#begin(group, nowMs);
      this.#sending.unshift(group);
    }
    if (this.#sending.length > 0) return;
    const [group] = this.#pending;
    if (group === undefined || this.#dueAt(group) > nowMs) return;
    this.#passStart ??= nowMs;
    this.#begin(group, nowMs);
    this.#sending.push(group);
  }

  #nextDue(): number | undefined {
    const [oldest] = this.#pending;
    if (oldest === undefined) return undefined;
    let due = this.#dueAt(oldest);
    for (const group of this.#urgent) due = Math.min(due, this.#urgentAt(group));
    return due;
  }

  #dueAt({ openedAt }: Group): number {
    // What came while a pass goes on belongs to the next one, unless the pass takes too long.
    if (this.#passStart !== undefined && openedAt > this.#passStart) return openedAt + this.#options.flushMs;
    return this.pace.dueAt(openedAt);
  }

  /** An error waits for no pass; only many of them in one group are kept apart. */
  #urgentAt({ openedAt, flushedAt }: Group): number {
    return Math.max(openedAt, Math.min(openedAt + this.#options.flushMs, flushedAt + this.pace.waitMs));
  }

  /** Makes the open batch the one that is being sent. */
  #begin(group: Group, nowMs: number): void {
    const { open, members } = group;
    this.#close(group);
    group.flushedAt = nowMs;
    group.sending = new Batch(this.#options.stream, group.channel, this.#options.cursor(), open, true);
    group.sent = 0;
    this.counts.flushes++;
    this.counts.deliveries += open.length * members.length;
  }

  /** Gives the batch to the next members until the time is up or all have it; gives the time. */
  #sendSome(group: Group, until: number): number {
    const { members, sending } = group;
    let at: number;
    do {
      // What a member does when it is given a batch may be to leave, alone or with others.
      for (let left = this.#options.stride ?? 64; left > 0 && group.sent < members.length; left--)
        members[group.sent++]!.deliver(sending!);
      at = this.#options.now();
    } while (at < until && group.sent < members.length);
    if (group.sent >= members.length) this.#sent(group);
    return at;
  }

  #finish(group: Group): void {
    while (group.sending !== undefined) this.#sendSome(group, Number.POSITIVE_INFINITY);
  }

  #sent(group: Group): void {
    group.sending = undefined;
    group.sent = 0;
    const at = this.#sending.indexOf(group);
    if (at >= 0) this.#sending.splice(at, 1);
  }

  #close(group: Group): void {
    group.open = [];
    group.openLength = 0;
    this.#pending.delete(group);
    this.#urgent.delete(group);
  }
}

function place(members: Member[], slot: number, member: Member): void {
  members[slot] = member;
  member.slot = slot;
}

function keyOf({ canonical }: LiveFilter, sibling: number): string {
  return `${sibling} ${canonical}`;
}
