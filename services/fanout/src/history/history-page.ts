import { DeliveryBatch } from '../encoding/delivery-batch.ts';
import type { HistorySource } from './history-source.ts';
import type { LiveItem } from '../stream/stream-kind.ts';

/** A piece of the past, for all viewers with the same filter at the same place. */
export class HistoryPage {
  readonly items: readonly LiveItem[];
  /** Per partition, the offset at which the next page begins. */
  readonly end: readonly number[];
  /** Records before `end` that neither log nor archive has; such a page has no items. */
  readonly lost: number;
  /** Roughly its size in memory. */
  readonly bytes: number;
  readonly cursor: string;
  #batch: DeliveryBatch | undefined;

  constructor(stream: HistorySource, items: readonly LiveItem[], end: readonly number[], lost = 0) {
    this.items = items;
    this.end = [...end];
    this.lost = lost;
    this.cursor = stream.cursorAt(end);
    this.bytes = items.reduce((sum, item) => sum + 2 * item.json().length, 500);
  }

  /** Its items as a batch, of which viewers of the same channel share the encodings. */
  batch(stream: HistorySource, channel: number): DeliveryBatch {
    if (this.#batch?.channel !== channel)
      this.#batch = new DeliveryBatch(stream.kind.name, channel, this.cursor, this.items, true);
    return this.#batch;
  }
}
