import type { FilterSubject } from '@logloom/filter';
import { memoryBudget } from '@logloom/settings';

/** An item that keeps what filters have read of it until it is told to forget it. */
export interface SubjectOwner {
  forgetSubject(): void;
}

/** Of a subject without values: the objects themselves. */
const fixedBytes = 300;
/** Of a character of attributes, as the values that they are parsed to. */
const bytesPerCharacter = 8;
const defaultBytes = memoryBudget(0.03, 32 * 2 ** 20);

/**
 * Bounds the memory of what filters have read of the newest items. When many viewers come back at once, each item of the last seconds is
 * tested by the filter of each of them: it is parsed once, and not once for each.
 */
export class SubjectCache {
  readonly #maxBytes: number;
  #kept: { owner: SubjectOwner; bytes: number }[] = [];
  #first = 0;
  #bytes = 0;

  constructor(maxBytes = defaultBytes) {
    this.#maxBytes = maxBytes;
  }

  /** The owner may keep its subject if this returns true; those that were kept longest forget theirs. */
  keep(owner: SubjectOwner, { event }: FilterSubject): boolean {
    const bytes = fixedBytes + bytesPerCharacter * event.attributes.length + 4 * event.message.length;
    // One item must not displace most of the others.
    if (bytes > this.#maxBytes / 100) return false;
    this.#kept.push({ owner, bytes });
    this.#bytes += bytes;
    while (this.#bytes > this.#maxBytes) this.#forgetFirst();
    return true;
  }

  #forgetFirst(): void {
    const { owner, bytes } = this.#kept[this.#first++]!;
    owner.forgetSubject();
    this.#bytes -= bytes;
    if (this.#first < 1_024 || this.#first * 2 < this.#kept.length) return;
    this.#kept = this.#kept.slice(this.#first);
    this.#first = 0;
  }
}
