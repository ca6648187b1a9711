import type { CloseReason, Correlation } from '@logloom/schemas';
import { sessionKey } from '../session/session-window.ts';

/** The part of a written document that a restart needs. */
export interface WrittenClose {
  /** Its session's (sessionKey()). */
  key: string;
  firstOffset: number;
  lastMember: number;
  closeOffset: number;
  firstClosedAt: number;
  revision: number;
  final: boolean;
  rules: readonly string[];
  /** The request that its members were forwarded to, if any. */
  joinedInto: string | null;
  /** The document if it has alerts; else null, to save memory. */
  alerting: Correlation | null;
}

/** The place of a document in the order of closes; -1 before the first. */
export interface ClosePosition {
  closeOffset: number;
  closeSequence: number;
}

/** The end of the written documents: the position of the last one. */
export interface WrittenEnd extends ClosePosition {
  /** How many there are. */
  count: number;
  /** Whether the event at closeOffset is in a document that it closed itself. */
  closedByMember: boolean;
}

const nothing: WrittenEnd = { count: 0, closeOffset: -1, closeSequence: -1, closedByMember: false };

/**
 * The closes that the output holds for records that are read again. They are pushed in the order in which they were written, each before the
 * record at its offset is applied, so that only those of the next few records are in memory, however much was written.
 */
export class WrittenDocuments {
  #end: WrittenEnd;
  #closes: WrittenClose[] = [];
  #next = 0;
  #taken = 0;
  readonly #starts: ReadonlySet<number>;

  /** `starts` are the first offsets of the documents behind one that was lost. */
  constructor(end: WrittenEnd = nothing, starts: ReadonlySet<number> = new Set()) {
    this.#end = end;
    this.#starts = starts;
  }

  push(close: WrittenClose): void {
    this.#closes.push(close);
  }

  /**
   * The log lost its end, from this offset on: closes there are void. Documents have to stay in the order of their closes, so nothing
   * closes until the log has passed the last written one.
   */
  endLost(from: number, last: ClosePosition): void {
    this.#closes = this.#closes.slice(this.#next).filter(({ closeOffset }) => closeOffset < from);
    this.#next = 0;
    this.#end = { ...last, count: this.#taken + this.#closes.length, closedByMember: false };
  }

  /** Whether all of them were applied. */
  get isDone(): boolean {
    return this.#taken === this.#end.count;
  }

  /** Whether all closes at this offset are written: nothing else closes there. */
  isBefore(offset: number): boolean {
    return offset < this.#end.closeOffset;
  }

  /** Whether a written document begins with this event, though a document before it that is lost may have left its session open. */
  begins(offset: number): boolean {
    return this.#starts.has(offset);
  }

  /** How many closes at this offset are written; the next one has this number. */
  closesAt(offset: number): number {
    return offset === this.#end.closeOffset ? this.#end.closeSequence + 1 : 0;
  }

  /** Whether the event at this offset, not before the last close, belongs to a written document. */
  covers(offset: number): boolean {
    return this.#end.closedByMember && offset === this.#end.closeOffset;
  }

  /**
   * The next document that was closed up to this offset; one that the event at this offset closed itself is returned only with `byEvent`.
   */
  next(offset: number, byEvent: boolean): WrittenClose | undefined {
    const close = this.#closes[this.#next];
    if (close === undefined || close.closeOffset > offset) return undefined;
    if (!byEvent && close.closeOffset === offset && close.lastMember === offset) return undefined;
    this.#next++;
    this.#taken++;
    if (this.#next === this.#closes.length) {
      this.#closes = [];
      this.#next = 0;
    }
    return close;
  }
}

export function toWrittenClose(document: Correlation): WrittenClose {
  return {
    key: sessionKey(document.correlationId, document.kind, document.backfill),
    firstOffset: document.firstOffset,
    lastMember: lastMember(document),
    closeOffset: document.closeOffset,
    firstClosedAt: document.firstClosedAt,
    revision: document.revision,
    final: document.final || isFinal(document.closeReason),
    rules: document.rules,
    joinedInto: document.joinedInto,
    alerting: document.alerts.length > 0 ? document : null,
  };
}

/** Returns the end after one more document. */
export function endAfter(end: WrittenEnd | undefined, document: Correlation): WrittenEnd {
  const { closeOffset, closeSequence } = document;
  const isSame = end !== undefined && end.closeOffset === closeOffset;
  return {
    count: (end?.count ?? 0) + 1,
    closeOffset,
    closeSequence,
    closedByMember: (isSame && end.closedByMember) || lastMember(document) === closeOffset,
  };
}

/** The offset of a document's last member. */
export function lastMember({ firstOffset, memberDeltas }: Correlation): number {
  return memberDeltas.reduce((sum, delta) => sum + delta, firstOffset);
}

/** A session that was closed because of memory takes no late events: the next one with its id starts a document of its own. */
export function isFinal(reason: CloseReason): boolean {
  return reason === 'size' || reason === 'evicted';
}
