import type { ExpectedEvents } from './expected.ts';

export const faultKinds = [
  'lost',
  'duplicated',
  'disordered',
  'corrupted',
  'unexpected',
  'overAnnounced',
] as const;

/** What is wrong with what a viewer got. */
export type FaultKind = (typeof faultKinds)[number];

/** One failure, with all that is needed to look it up. */
export interface FoundFault {
  kind: FaultKind;
  /** Number of the event; null where there is none. */
  event: number | null;
  partition: number | null;
  offset: number | null;
  detail: string;
}

/** What a viewer has to account for. */
export interface Bounds {
  /** Events with lower numbers were sent before the viewer watched for certain: it may have got them or not. */
  certainFrom: number;
  /** Events from this number on were sent when the viewer had gone. */
  certainBefore: number;
  /** Whether an event is stored for certain: acknowledged, not refused or unknown. */
  isStored: (n: number) => boolean;
}

export interface Account {
  /** Events that it had to get. */
  expected: number;
  /** Of these, what it got. */
  received: number;
  /** Announced by gaps, of what it had to get. */
  announced: number;
  lost: number;
  overAnnounced: number;
}

/**
 * Checks what one viewer gets: each expected event once, in the order of its partition, or announced as missing. Takes constant time for
 * an event that comes in order, and memory for what is missing at the moment.
 */
export class ViewerLedger {
  readonly #expected: ExpectedEvents;
  readonly #onFault: (fault: FoundFault) => void;
  /** Position of the latest event seen; positions below it that are not in the holes were received. */
  #highest = -1;
  /** Position of the first event seen. */
  #lowest = -1;
  /** Positions between lowest and highest that have not come, as intervals [from, to). */
  #holes: [from: number, to: number][] = [];
  readonly #lastOffsets: number[] = [];
  #announced = 0;

  constructor(expected: ExpectedEvents, onFault: (fault: FoundFault) => void) {
    this.#expected = expected;
    this.#onFault = onFault;
  }

  /** An event of the run arrived. `partition` is -1 where the target tells no place in a log. */
  received(n: number, partition: number, offset: number): void {
    const position = this.#expected.positionOf(n);
    if (position < 0) return this.#fault('unexpected', n, partition, offset, 'the filter does not match it');
    const isNew = this.#mark(position);
    if (!isNew) return this.#fault('duplicated', n, partition, offset, 'it had come before');
    if (partition < 0) return;
    const last = this.#lastOffsets[partition];
    if (last !== undefined && offset <= last)
      this.#fault('disordered', n, partition, offset, `it came after offset ${last} of its partition`);
    else this.#lastOffsets[partition] = offset;
  }

  /** So many events were left out and announced. */
  announced(count: number): void {
    this.#announced += count;
  }

  /** The account as it is now, without reporting what is lost: more may still come. */
  account(bounds: Bounds): Account {
    const { missing, example: _example, possible: _possible, ...account } = this.#tally(bounds);
    return { ...account, received: account.expected - missing };
  }

  /** The final account; reports what is lost. */
  close(bounds: Bounds): Account {
    const { missing, example, possible, ...account } = this.#tally(bounds);
    const announced = this.#announced;
    if (account.lost > 0)
      this.#fault('lost', example, -1, -1, `${missing} are missing, ${announced} were announced`);
    if (account.overAnnounced > 0)
      this.#fault('overAnnounced', null, -1, -1, `${announced} were announced, ${possible} are missing`);
    return { ...account, received: account.expected - missing };
  }

  #tally({ certainFrom, certainBefore, isStored }: Bounds) {
    const first = this.#expected.countBelow(certainFrom);
    const end = this.#expected.countBelow(certainBefore);
    let expected = 0;
    let missing = 0;
    let possible = 0;
    let example = -1;
    for (
      let position = Math.min(first, this.#lowest < 0 ? first : this.#lowest);
      position < end;
      position++
    ) {
      const n = this.#expected.numberAt(position);
      const isDue = position >= first && isStored(n);
      const isMissing = !this.#has(position);
      if (isDue) expected++;
      if (!isMissing) continue;
      possible++;
      if (!isDue) continue;
      missing++;
      if (example < 0) example = n;
    }
    const lost = Math.max(0, missing - this.#announced);
    const overAnnounced = Math.max(0, this.#announced - possible);
    return { expected, missing, possible, example, announced: missing - lost, lost, overAnnounced };
  }

  #has(position: number): boolean {
    if (this.#lowest < 0 || position < this.#lowest || position > this.#highest) return false;
    const hole = this.#holes[this.#holeAfter(position)];
    return hole === undefined || position < hole[0];
  }

  /** Whether the position was not there before. */
  #mark(position: number): boolean {
    if (this.#lowest < 0) {
      this.#lowest = this.#highest = position;
      return true;
    }
    if (position > this.#highest) {
      if (position > this.#highest + 1) this.#holes.push([this.#highest + 1, position]);
      this.#highest = position;
      return true;
    }
    if (position < this.#lowest) {
      if (position + 1 < this.#lowest) this.#holes.unshift([position + 1, this.#lowest]);
      this.#lowest = position;
      return true;
    }
    const at = this.#holeAfter(position);
    const hole = this.#holes[at];
    if (hole === undefined || position < hole[0]) return false;
    const [from, to] = hole;
    const rest: [number, number][] = [];
    if (from < position) rest.push([from, position]);
    if (position + 1 < to) rest.push([position + 1, to]);
    this.#holes.splice(at, 1, ...rest);
    return true;
  }

  /** Index of the first hole that ends after the position. */
  #holeAfter(position: number): number {
    let low = 0;
    let high = this.#holes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#holes[middle]![1] <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #fault(kind: FaultKind, event: number | null, partition: number, offset: number, detail: string): void {
    this.#onFault({
      kind,
      event,
      partition: partition < 0 ? null : partition,
      offset: offset < 0 ? null : offset,
      detail,
    });
  }
}
