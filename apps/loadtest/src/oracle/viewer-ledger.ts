import type { ExpectedEvents } from './expected.ts';

export const faultKinds = [
  'lost',
  'duplicated',
  'disordered',
  'corrupted',
  'unexpected',
  'overAnnounced',
  'underAnnounced',
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
  /** A viewer that resumes here sees the same part of the log; null where none is known. */
  cursor: string | null;
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
  /** Called for each event that it had to get and did not, announced or not. */
  onMissing?: (n: number) => void;
}

export interface Account {
  /** Events that it had to get. */
  expected: number;
  /** Of these, what it got. */
  received: number;
  /** Announced by gaps, of what it had to get. */
  announced: number;
  /** Missing at a viewer to which nothing was announced. */
  lost: number;
  /** Missing beyond what was announced. */
  underAnnounced: number;
  overAnnounced: number;
}

/** What a gap says: between two cursors so many events are missing. */
export interface AnnouncedGap {
  from: string;
  to: string;
  missed: number;
}

/** Positions that have not come, from `from` up to, not including, `to`; `cursor` is from before they were due. */
interface Hole {
  from: number;
  to: number;
  cursor: string | null;
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
  /** Positions between lowest and highest that have not come. */
  #holes: Hole[] = [];
  readonly #lastOffsets: number[] = [];
  #announced = 0;
  #gaps = 0;
  #firstGap: AnnouncedGap | undefined;
  #cursor: string | null = null;

  constructor(expected: ExpectedEvents, onFault: (fault: FoundFault) => void) {
    this.#expected = expected;
    this.#onFault = onFault;
  }

  /** An event of the run arrived. `partition` is -1 where the target tells no place in a log; `cursor` is one from shortly before. */
  received(n: number, partition: number, offset: number, cursor: string | null = null): void {
    this.#cursor = cursor;
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
  announced(gap: AnnouncedGap): void {
    this.#announced += gap.missed;
    this.#gaps++;
    this.#firstGap ??= gap;
  }

  /** The account as it is now, without reporting what is lost: more may still come. */
  account(bounds: Bounds): Account {
    const {
      missing,
      example: _example,
      possible: _possible,
      cursor: _cursor,
      ...account
    } = this.#tally(bounds);
    return { ...account, received: account.expected - missing };
  }

  /** The final account; reports what is lost. */
  close(bounds: Bounds): Account {
    const { missing, example, possible, cursor, ...account } = this.#tally(bounds);
    const announced = `${this.#announced} were announced by ${this.#gaps} gaps`;
    if (account.lost > 0) {
      this.#cursor = cursor;
      this.#fault('lost', example, -1, -1, `${missing} are missing, and none was announced`);
    }
    this.#cursor = this.#firstGap?.from ?? null;
    const where = `the first of them from ${this.#firstGap?.from} to ${this.#firstGap?.to}`;
    if (account.underAnnounced > 0)
      this.#fault('underAnnounced', example, -1, -1, `${missing} are missing, ${announced}, ${where}`);
    if (account.overAnnounced > 0)
      this.#fault('overAnnounced', null, -1, -1, `${possible} are missing, ${announced}, ${where}`);
    return { ...account, received: account.expected - missing };
  }

  #tally({ certainFrom, certainBefore, isStored, onMissing }: Bounds) {
    const first = this.#expected.countBelow(certainFrom);
    const end = this.#expected.countBelow(certainBefore);
    let expected = 0;
    let missing = 0;
    let possible = 0;
    let example = -1;
    let cursor = this.#cursor;
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
      onMissing?.(n);
      if (example >= 0) continue;
      example = n;
      cursor = this.#holes[this.#holeAfter(position)]?.cursor ?? cursor;
    }
    const unannounced = Math.max(0, missing - this.#announced);
    const [lost, underAnnounced] = this.#announced === 0 ? [unannounced, 0] : [0, unannounced];
    const overAnnounced = Math.max(0, this.#announced - possible);
    const announced = missing - unannounced;
    return { expected, missing, possible, example, cursor, announced, lost, underAnnounced, overAnnounced };
  }

  #has(position: number): boolean {
    if (this.#lowest < 0 || position < this.#lowest || position > this.#highest) return false;
    const hole = this.#holes[this.#holeAfter(position)];
    return hole === undefined || position < hole.from;
  }

  /** Whether the position was not there before. */
  #mark(position: number): boolean {
    if (this.#lowest < 0) {
      this.#lowest = this.#highest = position;
      return true;
    }
    if (position > this.#highest) {
      if (position > this.#highest + 1) this.#holes.push(this.#hole(this.#highest + 1, position));
      this.#highest = position;
      return true;
    }
    if (position < this.#lowest) {
      if (position + 1 < this.#lowest) this.#holes.unshift(this.#hole(position + 1, this.#lowest));
      this.#lowest = position;
      return true;
    }
    const at = this.#holeAfter(position);
    const hole = this.#holes[at];
    if (hole === undefined || position < hole.from) return false;
    const { from, to } = hole;
    const rest: Hole[] = [];
    if (from < position) rest.push({ ...hole, to: position });
    if (position + 1 < to) rest.push({ ...hole, from: position + 1 });
    this.#holes.splice(at, 1, ...rest);
    return true;
  }

  #hole(from: number, to: number): Hole {
    return { from, to, cursor: this.#cursor };
  }

  /** Index of the first hole that ends after the position. */
  #holeAfter(position: number): number {
    let low = 0;
    let high = this.#holes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#holes[middle]!.to <= position) low = middle + 1;
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
      cursor: this.#cursor,
      detail,
    });
  }
}
