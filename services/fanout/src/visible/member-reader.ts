import type { Archive } from '@logloom/archive';
import { FilterSubject } from '@logloom/filter';
import { memberOffsets, memberPlaces, type Correlation, type PlacedEvent } from '@logloom/schemas';
import { placedIn } from '@logloom/auth';
import type { EventLoopQueue } from '../admission/event-loop-queue.ts';
import type { LiveStream } from '../stream/live-stream.ts';

export interface MemberReaderOptions {
  /** The stream of events. */
  events: LiveStream;
  eventLoop: EventLoopQueue;
  /** Has events that have left the log. */
  archive?: (() => Promise<Archive>) | undefined;
}

/** A document of up to this many members is read in one turn of the event loop if all of them are in memory. */
const membersPerTurn = 512;
const archivedPerRead = 512;

/** A member, with the offset of the record that stands for it if it was forwarded. */
interface Member {
  member: FilterSubject;
  at: number | undefined;
}

/**
 * Reads the members of a document: from the events that the live tier has in memory, else from the log in blocks that all readers of its
 * past share, else from the archive. Reading a document holds one block at a time, however many members it has.
 */
export class MemberReader {
  readonly #options: MemberReaderOptions;

  constructor(options: MemberReaderOptions) {
    this.#options = options;
  }

  /** The members in the document's order, if all of them are in memory and they are few enough for one turn. */
  inMemory(document: Correlation): Member[] | undefined {
    if (document.memberDeltas.length > membersPerTurn) return undefined;
    const { ring } = this.#options.events;
    const members: Member[] = [];
    for (const { at, partition, offset } of memberPlaces(document)) {
      const item = ring.find(partition, offset);
      if (item === undefined) return undefined;
      const isForwarded = partition !== document.partition || offset !== at;
      members.push({ member: item.subject(), at: isForwarded ? at : undefined });
    }
    return members;
  }

  /**
   * Visits the members in the document's order. Those that neither the log nor the archive has any more are left out, as in a search.
   * Rejects when the log or the archive cannot be read.
   */
  async read(document: Correlation, visit: (member: FilterSubject, at?: number) => void): Promise<void> {
    const { partition } = document;
    if (document.forwarded.length === 0) return this.#readOffsets(partition, memberOffsets(document), visit);
    // Of a request that other ids joined, all members are held: they are in several partitions.
    const members: PlacedEvent[] = [];
    const offsets = new Map<number, number[]>();
    for (const place of memberPlaces(document)) {
      const known = offsets.get(place.partition);
      if (known === undefined) offsets.set(place.partition, [place.offset]);
      else known.push(place.offset);
    }
    for (const [each, unsorted] of offsets) {
      const sorted = unsorted.sort((a, b) => a - b);
      await this.#readOffsets(each, sorted, (member) => members.push(member.event));
    }
    for (const { member, at } of placedIn(document, members)) visit(new FilterSubject(member), at);
  }

  async #readOffsets(
    partition: number,
    offsets: readonly number[],
    visit: (member: FilterSubject) => void,
  ): Promise<void> {
    const { events, eventLoop } = this.#options;
    let next = 0;
    while (next < offsets.length) {
      await eventLoop.slot();
      const last = Math.min(offsets.length, next + membersPerTurn);
      for (; next < last; next++) {
        const item = events.ring.find(partition, offsets[next]!);
        if (item === undefined) break;
        visit(item.subject());
      }
      if (next < last) next = await this.#fromLog(partition, offsets, next, visit);
    }
  }

  /** Visits the members in one block of the log, from offsets[next] on; returns the index of the first member after it. */
  async #fromLog(
    partition: number,
    offsets: readonly number[],
    next: number,
    visit: (member: FilterSubject) => void,
  ): Promise<number> {
    const { events } = this.#options;
    let at = next;
    for (const { offset, item } of await events.historyFrom(partition, offsets[next]!)) {
      if (offset < offsets[at]!) continue;
      if (offset > offsets[at]!) break;
      if (item !== undefined) visit(item.subject());
      if (++at === offsets.length) break;
    }
    if (at > next) return at;
    const start = (await events.startOffsets())[partition]!;
    // It was never decoded, or the log has lost it.
    return offsets[next]! >= start ? next + 1 : this.#fromArchive(partition, offsets, next, start, visit);
  }

  /** Visits the members below `start`; returns the index of the first member from there on. */
  async #fromArchive(
    partition: number,
    offsets: readonly number[],
    next: number,
    start: number,
    visit: (member: FilterSubject) => void,
  ): Promise<number> {
    const { events, eventLoop } = this.#options;
    const found = offsets.findIndex((offset, i) => i >= next && offset >= start);
    const end = found < 0 ? offsets.length : found;
    const archive = await this.#options.archive?.();
    if (archive === undefined) return end;
    const behind = offsets[end - 1]! + 1;
    for (let at = next; at < end;) {
      const page = await archive.range(events.epoch, partition, offsets[at]!, behind, archivedPerRead);
      if (page.length === 0) break;
      for (const event of page) {
        while (at < end && offsets[at]! < event.offset) at++;
        if (at === end || offsets[at] !== event.offset) continue;
        visit(new FilterSubject(event));
        at++;
      }
      await eventLoop.slot();
    }
    return end;
  }
}
