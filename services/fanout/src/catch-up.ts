import { setTimeout as sleep } from 'node:timers/promises';
import type { HistoryReader } from './history-reader.ts';
import type { LiveItem } from './stream-kind.ts';
import type { Subscription } from './subscription.ts';
import type { Turns } from './turns.ts';

const logSlice = 512;
const ringSlice = 1024;
const aheadPollMs = 20;

/**
 * Sends a subscription everything from these offsets on, from the log and then from memory, and hands it over to its group at
 * exactly the stream's position: nothing is missing, nothing comes twice. Resolves when it is live or closed.
 */
export async function catchUp(
  subscription: Subscription,
  from: readonly number[],
  turns: Turns,
): Promise<void> {
  const { stats } = subscription.stream;
  stats.catchUps++;
  stats.catchingUp++;
  try {
    await new CatchUp(subscription, from, turns).run();
  } finally {
    stats.catchingUp--;
  }
}

class CatchUp {
  readonly #subscription: Subscription;
  readonly #turns: Turns;
  /** Everything before these offsets was sent, or is in the subscription's open history. */
  readonly #position: number[];

  constructor(subscription: Subscription, from: readonly number[], turns: Turns) {
    this.#subscription = subscription;
    this.#turns = turns;
    this.#position = [...from];
  }

  async run(): Promise<void> {
    const { stream } = this.#subscription;
    while (!this.#isClosed && !stream.hasReached(this.#position)) await sleep(aheadPollMs);
    while (!this.#isClosed) {
      await this.#readLog();
      await this.#subscription.writable();
      await this.#turns.take();
      // Whatever happens until the hand-over happens in this turn.
      if (!this.#isClosed && stream.ring.reaches(this.#position) && this.#readRing()) return;
    }
  }

  get #isClosed(): boolean {
    return this.#subscription.isClosed;
  }

  /** Sends from the log what the ring no longer has. */
  async #readLog(): Promise<void> {
    const { stream } = this.#subscription;
    let reader: HistoryReader | undefined;
    while (!this.#isClosed && !stream.ring.reaches(this.#position)) {
      reader ??= stream.reader(this.#position);
      const before = stream.cursorAt(this.#position);
      const items = await reader.read(logSlice);
      await this.#turns.take();
      if (this.#isClosed) return;
      if (reader.lost > 0) this.#tellLost(before, reader, items);
      for (const item of items) {
        if (!this.#add(item)) continue;
        this.#send();
        await this.#subscription.writable();
        if (this.#isClosed) return;
      }
      this.#moveTo(reader.position);
      this.#send();
      await this.#subscription.writable();
    }
  }

  /** Sends a piece of the ring; true when that was the rest and the subscription is live. */
  #readRing(): boolean {
    const { stream } = this.#subscription;
    const { ring } = stream;
    const start = ring.placeOf(this.#position);
    const end = Math.min(ring.end, start + ringSlice);
    for (let place = start; place < end; place++) {
      const item = ring.at(place);
      if (item.offset < this.#position[item.partition]! || !this.#add(item)) continue;
      this.#send();
      return false;
    }
    if (end < ring.end) {
      this.#send();
      return false;
    }
    this.#moveTo(stream.position);
    this.#send();
    this.#subscription.goLive();
    return true;
  }

  #add(item: LiveItem): boolean {
    this.#position[item.partition] = item.offset + 1;
    return this.#subscription.group.filter.matches(item.subject()) && this.#subscription.addHistory(item);
  }

  #moveTo(offsets: readonly number[]): void {
    offsets.forEach((offset, p) => (this.#position[p] = offset));
  }

  #send(): void {
    this.#subscription.sendHistory(this.#subscription.stream.cursorAt(this.#position));
  }

  /** Records were trimmed before they were read: the gap ends where the log now begins, before the items just read. */
  #tellLost(before: string, reader: HistoryReader, items: readonly LiveItem[]): void {
    const resumedAt = [...reader.position];
    for (const item of items.toReversed()) resumedAt[item.partition] = item.offset;
    const to = this.#subscription.stream.cursorAt(resumedAt);
    this.#subscription.tellGap(before, to, reader.lost, 'retention');
    reader.lost = 0;
    this.#moveTo(resumedAt);
  }
}
