import type { Correlation } from '@logloom/schemas';

/**
 * Within a partition of logs.correlations the position (closeOffset, closeSequence) only grows; a document that is not ahead of the
 * last one was written by an instance that did not know that another had taken over.
 */
export class DocumentOrder {
  #closeOffset: number;
  #closeSequence: number;

  constructor(closeOffset = -1, closeSequence = -1) {
    this.#closeOffset = closeOffset;
    this.#closeSequence = closeSequence;
  }

  /** Reads what toMetadata() wrote; anything else is the beginning. */
  static parse(metadata = ''): DocumentOrder {
    const [, closeOffset, closeSequence] = /^closed=(-?\d+)\.(-?\d+)$/.exec(metadata) ?? [];
    return closeOffset === undefined
      ? new DocumentOrder()
      : new DocumentOrder(Number(closeOffset), Number(closeSequence));
  }

  /** True, and remembered, when the document is ahead of all before it. */
  admit({ closeOffset, closeSequence }: Correlation): boolean {
    if (closeOffset < this.#closeOffset) return false;
    if (closeOffset === this.#closeOffset && closeSequence <= this.#closeSequence) return false;
    this.#closeOffset = closeOffset;
    this.#closeSequence = closeSequence;
    return true;
  }

  /** For the commit's metadata. */
  toMetadata(): string {
    return `closed=${this.#closeOffset}.${this.#closeSequence}`;
  }
}
