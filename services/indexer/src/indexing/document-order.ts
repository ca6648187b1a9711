import type { Correlation } from '@logloom/schemas';

/**
 * Within a partition of logs.correlations the position (closeOffset, closeSequence) only grows; a document that is not ahead of the last
 * one was written by an instance that had not noticed yet that another had taken over.
 */
export class DocumentOrder {
  readonly #epoch: string;
  #closeOffset: number;
  #closeSequence: number;

  /** `epoch` is that of logs.events, whose offsets the positions are. */
  constructor(epoch: string, closeOffset = -1, closeSequence = -1) {
    this.#epoch = epoch;
    this.#closeOffset = closeOffset;
    this.#closeSequence = closeSequence;
  }

  /** Reads the result of toMetadata() of this epoch, or of an earlier release; anything else means the beginning. */
  static parse(epoch: string, metadata = ''): DocumentOrder {
    const [, closeOffset, closeSequence, written = epoch] =
      /^closed=(-?\d+)\.(-?\d+)(?: (\w+)(?: void=\d+)?)?$/.exec(metadata) ?? [];
    return closeOffset === undefined || written !== epoch
      ? new DocumentOrder(epoch)
      : new DocumentOrder(epoch, Number(closeOffset), Number(closeSequence));
  }

  /** Returns true, and remembers the document, if it is ahead of all before it. */
  admit({ closeOffset, closeSequence }: Correlation): boolean {
    if (closeOffset < this.#closeOffset) return false;
    if (closeOffset === this.#closeOffset && closeSequence <= this.#closeSequence) return false;
    this.#closeOffset = closeOffset;
    this.#closeSequence = closeSequence;
    return true;
  }

  /** For the commit's metadata. */
  toMetadata(): string {
    return `closed=${this.#closeOffset}.${this.#closeSequence} ${this.#epoch}`;
  }
}
