import type { Source } from '@logloom/schemas';
import type { EventLog, LogRecord } from './event-log.ts';
import { offsetBefore, restoredOffsets } from './skipped-offsets.ts';

/** A record is a duplicate if its source occurs among this many records before it in its partition. */
export const duplicateWindowRecords = 65_536;

const smallest = 1024;

interface SourcePartition {
  readonly kind: string;
  readonly topic: string;
  readonly partition: number;
  readonly id: number;
  /** Slots that refer to it. */
  entries: number;
  /** Another kind or partition of the same topic. */
  next: SourcePartition | undefined;
}

/**
 * Tells new events from duplicates, for one partition of logs.events. A record is a duplicate if and only if an event with the same source
 * (kind, topic, partition, offset, index) occurs at most `size` offsets before it. The log alone decides, in whatever order producers
 * wrote: a window that was warmed up (warmUp) decides like one that has read the partition from its start.
 *
 * Each offset has the slot `offset mod size`; slots with the same hash form a chain from the newest to the oldest, as in LZ77. So
 * nothing is ever removed, an event costs no allocation, and the memory is bounded: 20 bytes a slot and 8 a chain, 1.8 MB when full.
 */
export class DuplicateWindow {
  readonly #size: number;
  /** A power of two; it doubles up to `#size`. */
  #capacity: number;
  #shift: number;
  #first = -1;
  #last = -1;
  /** Per slot: the source partition's id (0: no event), and the position in it. */
  #ids: Int32Array;
  #offsets: Float64Array;
  #indexes: Int32Array;
  /** Per slot: how many offsets before it the next older event of its chain is; 0 if there is none within the window. */
  #distances: Int32Array;
  /** Per chain: the offset of its newest event. */
  #heads: Float64Array;
  readonly #partitions: (SourcePartition | undefined)[] = [undefined];
  readonly #freeIds: number[] = [];
  readonly #byTopic = new Map<string, SourcePartition>();
  #lastPartition: SourcePartition | undefined;
  // Odd and random, so that a client cannot choose numbers that all fall into one chain (multiply-shift hashing).
  readonly #a = randomFactor();
  readonly #b = randomFactor();
  readonly #c = randomFactor();

  /** `size`: a power of two. */
  constructor(size = duplicateWindowRecords) {
    this.#size = size;
    this.#capacity = Math.min(smallest, size);
    this.#shift = 32 - Math.log2(this.#capacity);
    this.#ids = new Int32Array(this.#capacity);
    this.#offsets = new Float64Array(this.#capacity);
    this.#indexes = new Int32Array(this.#capacity);
    this.#distances = new Int32Array(this.#capacity);
    this.#heads = new Float64Array(this.#capacity).fill(-Infinity);
  }

  /**
   * Adds the event of the record at `offset`; returns false if it is a duplicate. Offsets must ascend, else it throws RangeError. Records
   * without an event are not passed. Offsets that were skipped when the log was restored do not count.
   */
  admit(source: Source, at: number): boolean {
    const offset = at < restoredOffsets ? at : at % restoredOffsets;
    if (offset <= this.#last) throw new RangeError(`offset ${at} after ${this.#last}`);
    if (this.#first < 0) this.#first = offset;
    this.#last = offset;
    if (this.#capacity < this.#size && offset - this.#first >= this.#capacity) this.#grow(offset);
    const partition = this.#find(source) ?? this.#add(source);
    const chain = this.#chainOf(partition.id, source.offset, source.index);
    const isNew = !this.#has(chain, partition.id, source, offset);
    this.#put(chain, partition, source.offset, source.index, offset);
    return isNew;
  }

  /** Whether an event with this source, taken next, would be a duplicate. */
  has(source: Source): boolean {
    const partition = this.#find(source);
    if (partition === undefined) return false;
    const chain = this.#chainOf(partition.id, source.offset, source.index);
    return this.#has(chain, partition.id, source, this.#last + 1);
  }

  #has(chain: number, id: number, source: Source, offset: number): boolean {
    const mask = this.#capacity - 1;
    const oldest = offset - this.#size;
    for (let at = this.#heads[chain]!; at >= oldest;) {
      const slot = at & mask;
      if (
        this.#ids[slot] === id &&
        this.#offsets[slot] === source.offset &&
        this.#indexes[slot] === source.index
      )
        return true;
      const distance = this.#distances[slot]!;
      if (distance === 0) return false;
      at -= distance;
    }
    return false;
  }

  #put(chain: number, partition: SourcePartition, position: number, index: number, offset: number): void {
    const slot = offset & (this.#capacity - 1);
    // The new reference is counted first: the old one in this slot may be to the same source.
    partition.entries++;
    this.#release(this.#ids[slot]!);
    const distance = offset - this.#heads[chain]!;
    this.#ids[slot] = partition.id;
    this.#offsets[slot] = position;
    this.#indexes[slot] = index;
    this.#distances[slot] = distance <= this.#size ? distance : 0;
    this.#heads[chain] = offset;
  }

  #chainOf(id: number, offset: number, index: number): number {
    // The numbers of a run lie side by side, which the processor's caches like.
    const hash =
      Math.imul(Math.floor(offset / 65_536), this.#a) + Math.imul(index, this.#b) + Math.imul(id, this.#c);
    return ((hash >>> this.#shift) + offset) & (this.#capacity - 1);
  }

  #find({ kind, topic, partition }: Source): SourcePartition | undefined {
    // Runs of one producer are the common case and need no lookup.
    const last = this.#lastPartition;
    if (last?.topic === topic && last.partition === partition && last.kind === kind) return last;
    let found = this.#byTopic.get(topic);
    while (found !== undefined && (found.partition !== partition || found.kind !== kind)) found = found.next;
    if (found !== undefined) this.#lastPartition = found;
    return found;
  }

  #add({ kind, topic, partition }: Source): SourcePartition {
    const id = this.#freeIds.pop() ?? this.#partitions.length;
    const added = { kind, topic, partition, id, entries: 0, next: this.#byTopic.get(topic) };
    this.#partitions[id] = added;
    this.#byTopic.set(topic, added);
    this.#lastPartition = added;
    return added;
  }

  /** Drops one reference to a source partition, which is forgotten with the last one. */
  #release(id: number): void {
    if (id === 0) return;
    const partition = this.#partitions[id]!;
    if (--partition.entries > 0) return;
    this.#partitions[id] = undefined;
    this.#freeIds.push(id);
    if (this.#lastPartition === partition) this.#lastPartition = undefined;
    const first = this.#byTopic.get(partition.topic)!;
    if (first === partition) {
      if (partition.next === undefined) this.#byTopic.delete(partition.topic);
      else this.#byTopic.set(partition.topic, partition.next);
      return;
    }
    let before = first;
    while (before.next !== partition) before = before.next!;
    before.next = partition.next;
  }

  /** Makes room for an offset. Until the capacity is the window's size, no slot was ever used twice. */
  #grow(offset: number): void {
    const { length: before } = this.#ids;
    const [ids, offsets, indexes] = [this.#ids, this.#offsets, this.#indexes];
    while (this.#capacity < this.#size && offset - this.#first >= this.#capacity) this.#capacity *= 2;
    this.#shift = 32 - Math.log2(this.#capacity);
    this.#ids = new Int32Array(this.#capacity);
    this.#offsets = new Float64Array(this.#capacity);
    this.#indexes = new Int32Array(this.#capacity);
    this.#distances = new Int32Array(this.#capacity);
    this.#heads = new Float64Array(this.#capacity).fill(-Infinity);
    for (let at = this.#first; at < this.#first + before; at++) {
      const slot = at & (before - 1);
      const id = ids[slot]!;
      if (id === 0) continue;
      const partition = this.#partitions[id]!;
      const chain = this.#chainOf(id, offsets[slot]!, indexes[slot]!);
      this.#put(chain, partition, offsets[slot]!, indexes[slot]!, at);
      // Its old slot was counted already.
      partition.entries--;
    }
  }
}

function randomFactor(): number {
  return (Math.random() * 2 ** 32) | 1;
}

/** The sources of some records of logs.events; undefined for a record that holds no event. */
export type ReadSources = (records: readonly LogRecord[]) => Promise<readonly (Source | undefined)[]>;

/** Few enough that other work on the same thread is not delayed. */
const recordsPerRead = 1000;

/**
 * A window for the records of a partition from `offset` on, filled with the records before them. Records that have left the log are missing
 * from it.
 */
export async function warmUp(
  { log, topic, partition }: { log: EventLog; topic: string; partition: number },
  offset: number,
  readSources: ReadSources,
  size = duplicateWindowRecords,
): Promise<DuplicateWindow> {
  const window = new DuplicateWindow(size);
  const start = offset > 0 ? (await log.startOffsets(topic))[partition]! : 0;
  for (let next = Math.max(start, offsetBefore(log, topic, partition, offset, size)); next < offset;) {
    const records = await log.read(topic, partition, next, Math.min(recordsPerRead, offset - next));
    if (records.length === 0) break;
    const sources = await readSources(records);
    for (const [i, record] of records.entries()) {
      if (record.offset >= offset) break;
      const source = sources[i];
      if (source !== undefined) window.admit(source, record.offset);
    }
    next = records.at(-1)!.offset + 1;
  }
  return window;
}
