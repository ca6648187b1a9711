import type { Archive } from '@logloom/archive';
import type { PlacedEvent } from '@logloom/schemas';
import type { LiveItem, StreamKind } from '../stream/stream-kind.ts';

const chunk = 512;

interface PartitionEvents {
  events: readonly PlacedEvent[];
  next: number;
  isOver: boolean;
}

/** Reads from the archive the events between two places of the log, merged by the time at which they were received. */
export class ArchiveReader {
  /** Per partition, everything before it was returned or skipped. */
  readonly position: number[];
  readonly #to: readonly number[];
  readonly #archive: Archive;
  readonly #kind: StreamKind;
  readonly #epoch: string;
  readonly #partitions: PartitionEvents[];

  constructor(
    archive: Archive,
    { kind, epoch }: { kind: StreamKind; epoch: string },
    from: readonly number[],
    to: readonly number[],
  ) {
    this.#archive = archive;
    this.#kind = kind;
    this.#epoch = epoch;
    this.position = [...from];
    this.#to = to;
    this.#partitions = from.map((offset, p) => ({ events: [], next: 0, isOver: offset >= to[p]! }));
  }

  get isOver(): boolean {
    return this.position.every((offset, p) => offset >= this.#to[p]!);
  }

  /**
   * Returns the next items, at most `maxItems`; or instead the number of offsets that are not in the archive. It is an upper bound, because
   * ticks and duplicates have offsets too and are not in the archive.
   */
  async read(maxItems: number): Promise<{ items: LiveItem[]; lost: number }> {
    const items: LiveItem[] = [];
    while (items.length < maxItems) {
      for (let p = 0; p < this.#partitions.length; p++) await this.#fill(p);
      const p = this.#oldest();
      if (p === undefined) return items.length > 0 ? { items, lost: 0 } : { items, lost: this.#skipRest() };
      const queue = this.#partitions[p]!;
      const event = queue.events[queue.next]!;
      const hole = event.offset - this.position[p]!;
      if (hole > 0) {
        if (items.length > 0) break;
        this.position[p] = event.offset;
        return { items, lost: hole };
      }
      queue.next++;
      this.position[p] = event.offset + 1;
      const bytes = event.message.length + event.attributes.length + 200;
      const { partition, offset, receivedAt } = event;
      const decoded = { name: 'LogEvent', value: event } as const;
      const item = this.#kind.item(decoded, this.#epoch, partition, offset, receivedAt, bytes);
      if (item !== undefined) items.push(item);
    }
    return { items, lost: 0 };
  }

  async #fill(p: number): Promise<void> {
    const queue = this.#partitions[p]!;
    if (queue.isOver || queue.next < queue.events.length) return;
    queue.events = await this.#archive.range(this.#epoch, p, this.position[p]!, this.#to[p]!, chunk);
    queue.next = 0;
    queue.isOver = queue.events.length === 0;
  }

  #oldest(): number | undefined {
    let oldest: number | undefined;
    let oldestAtMs = Number.POSITIVE_INFINITY;
    this.#partitions.forEach(({ events, next }, p) => {
      const at = events[next]?.receivedAt ?? Number.POSITIVE_INFINITY;
      if (at >= oldestAtMs) return;
      oldest = p;
      oldestAtMs = at;
    });
    return oldest;
  }

  #skipRest(): number {
    let lost = 0;
    this.#to.forEach((to, p) => {
      lost += Math.max(0, to - this.position[p]!);
      this.position[p] = Math.max(to, this.position[p]!);
    });
    return lost;
  }
}

/** Returns the first archived offset of a partition, below `end`, that was received at or after that time; `end` if there is none. */
export async function archivedSince(
  archive: Archive,
  epoch: string,
  partition: number,
  end: number,
  timestampMs: number,
): Promise<number> {
  let low = 0;
  for (let high = end; low < high;) {
    const middle = Math.floor((low + high) / 2);
    const [event] = await archive.range(epoch, partition, middle, end, 1);
    if (event === undefined || event.receivedAt >= timestampMs) high = middle;
    else low = event.offset + 1;
  }
  const [first] = await archive.range(epoch, partition, low, end, 1);
  return first?.offset ?? end;
}
