import type { RecentItems } from '../history/history-source.ts';
import type { LiveItem } from './stream-kind.ts';

type Placed = Pick<LiveItem, 'partition' | 'offset' | 'bytes'>;

/** The places and offsets of one partition's items, oldest first; those before `head` are gone. */
interface PartitionIndex {
  offsets: number[];
  places: number[];
  head: number;
  /** The ring holds every item of the partition from this offset on. */
  reach: number;
}

/** The newest items of a stream in the order in which they were read, bounded by number and by bytes. */
export class Ring<T extends Placed = LiveItem> implements RecentItems<T> {
  readonly #maxItems: number;
  readonly #maxBytes: number;
  readonly #items: (T | undefined)[];
  readonly #partitions: PartitionIndex[];
  #first = 0;
  #end = 0;
  #bytes = 0;

  /** `from`: per partition, where the first item that will be added may be. */
  constructor(from: readonly number[], maxItems: number, maxBytes: number) {
    this.#maxItems = maxItems;
    this.#maxBytes = maxBytes;
    this.#items = new Array<T | undefined>(maxItems);
    this.#partitions = from.map((reach) => ({ offsets: [], places: [], head: 0, reach }));
  }

  /** The place of the oldest item; places count up by one. */
  get first(): number {
    return this.#first;
  }

  /** The place that the next item will get. */
  get end(): number {
    return this.#end;
  }

  at(place: number): T {
    return this.#items[place % this.#maxItems]!;
  }

  add(item: T): void {
    if (this.#end - this.#first === this.#maxItems) this.#evict();
    this.#items[this.#end % this.#maxItems] = item;
    const index = this.#partitions[item.partition]!;
    index.offsets.push(item.offset);
    index.places.push(this.#end);
    this.#end++;
    this.#bytes += item.bytes;
    while (this.#bytes > this.#maxBytes && this.#end - this.#first > 1) this.#evict();
  }

  /** The log has lost the records before this offset of the partition, and some of them were never added. */
  passOver(partition: number, offset: number): void {
    const index = this.#partitions[partition]!;
    index.reach = Math.max(index.reach, offset);
  }

  /** The first offset of the partition from which on nothing is missing here. */
  reach(partition: number): number {
    return this.#partitions[partition]!.reach;
  }

  /** Whether everything from these offsets on is here. */
  reaches(offsets: readonly number[]): boolean {
    return this.#partitions.every((index, partition) => offsets[partition]! >= index.reach);
  }

  /** The place of the first item at or after these offsets; the items from there on include earlier ones of other partitions. */
  placeOf(offsets: readonly number[]): number {
    let place = this.#end;
    this.#partitions.forEach((index, partition) => {
      const i = lowerBound(index.offsets, index.head, offsets[partition]!);
      if (i < index.places.length) place = Math.min(place, index.places[i]!);
    });
    return place;
  }

  /** The item of this offset, if it is here. */
  find(partition: number, offset: number): T | undefined {
    const { offsets, places, head } = this.#partitions[partition]!;
    const i = lowerBound(offsets, head, offset);
    return offsets[i] === offset ? this.at(places[i]!) : undefined;
  }

  /** The last item of the partition before `offset`, and not before `end`, that is accepted. */
  findBefore(partition: number, offset: number, end: number, accept: (item: T) => boolean): T | undefined {
    const { offsets, places, head } = this.#partitions[partition]!;
    for (let i = lowerBound(offsets, head, offset) - 1; i >= head && offsets[i]! >= end; i--) {
      const item = this.at(places[i]!);
      if (accept(item)) return item;
    }
    return undefined;
  }

  #evict(): void {
    const slot = this.#first % this.#maxItems;
    const item = this.#items[slot]!;
    this.#items[slot] = undefined;
    this.#first++;
    this.#bytes -= item.bytes;
    const index = this.#partitions[item.partition]!;
    index.reach = Math.max(index.reach, item.offset + 1);
    index.head++;
    if (index.head > 1024 && index.head * 2 > index.offsets.length) {
      index.offsets = index.offsets.slice(index.head);
      index.places = index.places.slice(index.head);
      index.head = 0;
    }
  }
}

/** The first index from `low` on whose value is not below `value`. */
function lowerBound(values: readonly number[], low: number, value: number): number {
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
