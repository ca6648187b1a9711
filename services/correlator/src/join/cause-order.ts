import type { Cause } from '@logloom/schemas';

/** The last causes of each partition, [offset, sequence] by partition. Never changed, so that a restart point may keep it. */
export type LastCauses = Readonly<Record<number, readonly [offset: number, sequence: number]>>;

/**
 * Recognizes repeated Link and Forward records, which a crash between their append and the commit causes: the causes of one partition
 * ascend.
 */
export class CauseOrder {
  #last: LastCauses;

  constructor(last: LastCauses = {}) {
    this.#last = last;
  }

  get last(): LastCauses {
    return this.#last;
  }

  /** Returns false for a record that was there before. */
  admit({ partition, offset, sequence }: Cause): boolean {
    const last = this.#last[partition];
    if (last !== undefined && (offset < last[0] || (offset === last[0] && sequence <= last[1]))) return false;
    this.#last = { ...this.#last, [partition]: [offset, sequence] };
    return true;
  }
}
