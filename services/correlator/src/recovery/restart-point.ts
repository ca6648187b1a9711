import type { Commit } from '@logloom/event-log';
import type { LastCauses } from '../join/cause-order.ts';
import type { ClockState } from '@logloom/event-log/log-clock';
import type { ClosePosition } from './written-documents.ts';

/** The content of a commit's metadata, as JSON. */
interface Metadata {
  /** Where to read the output partition from, to know what is written for the records from the committed offset on. */
  output: number;
  /** The epoch of the output topic, to which that position belongs; absent in commits of earlier releases. */
  outputEpoch?: string;
  /** The last record before the committed offset that set the rules, and the last that set the options; absent where there is none. */
  rules?: number;
  options?: number;
  /** The log's clock at the committed offset; absent in commits of earlier releases. */
  clock?: ClockState;
  /** The last Link and Forward records of each partition before the committed offset; absent where there are none. */
  causes?: LastCauses;
  /** The end that the log lost, while closes wait because of it. */
  lost?: LostEnd;
  /** The next record to apply. The committed offset is the restart point and lies behind it; the lag is counted from here. */
  position: number;
  /** Link and Forward records because of records before this offset are in the log; absent where it is the position. */
  effects?: number;
}

/** An end that the log of events lost. */
export interface LostEnd {
  /** The first offset that was lost. */
  from: number;
  /** Documents before this position in the output were written before. */
  output: number;
  /** Their last close: the next one has to be after it. */
  last: ClosePosition;
}

/** Offsets of the records that set what is in force. */
export interface SetBy {
  rules?: number | undefined;
  options?: number | undefined;
}

/** A batch of records that was applied. */
interface AppliedBatch {
  endOffset: number;
  clock: ClockState | undefined;
  causes: LastCauses | undefined;
  setBy: SetBy;
}

/** Some documents in a row. */
interface Written {
  /** The first one's. */
  outputOffset: number;
  /** The highest of them. */
  lastMember: number;
}

/** A restart may read a little more than it must, so that this many marks are enough, however long a session stays open. */
const maxMarks = 4096;

/**
 * Computes where a restart must read from: the low-water mark, rounded down to the end of a batch, with the matching position in the
 * output. Only marks after it are kept in memory.
 */
export class RestartPoint {
  #batches: AppliedBatch[] = [];
  #written: Written[] = [];
  #offset: number;
  #position: number;
  #committedPosition: number;
  #outputEnd: number;
  #setBy: SetBy;
  #clock: ClockState | undefined;
  #causes: LastCauses | undefined;
  /** A restart reads records again whose effects are in the log. */
  #effects: number;
  #lost: LostEnd | undefined;
  readonly #outputEpoch: string | undefined;

  constructor(
    offset: number,
    outputEnd: number,
    {
      clock,
      causes,
      effects = 0,
      lost,
      ...setBy
    }: SetBy & { clock?: ClockState; causes?: LastCauses; effects?: number; lost?: LostEnd } = {},
    outputEpoch?: string,
  ) {
    this.#clock = clock;
    this.#causes = causes;
    this.#effects = effects;
    this.#lost = lost;
    this.#outputEpoch = outputEpoch;
    this.#setBy = { rules: setBy.rules, options: setBy.options };
    this.#offset = this.#position = this.#committedPosition = offset;
    this.#outputEnd = outputEnd;
  }

  /** The commit for a partition that is read again from here: its next owner continues with it. */
  get start(): Commit {
    return { offset: this.#offset, metadata: this.#metadata(this.#outputEnd) };
  }

  /** Nothing was applied yet, and the first records to read are gone: the next offset is this one. */
  beginAt(offset: number): void {
    this.#offset = this.#position = this.#committedPosition = offset;
  }

  /** The log lost its end: offsets from there on belong to other records than those that were applied. */
  endLost(lost: LostEnd): void {
    const { from } = lost;
    const still = ({ rules, options }: SetBy): SetBy => ({
      rules: rules !== undefined && rules < from ? rules : undefined,
      options: options !== undefined && options < from ? options : undefined,
    });
    this.#batches = this.#batches.map(({ endOffset, clock, causes, setBy }) => ({
      endOffset: Math.min(endOffset, from),
      clock,
      causes,
      setBy: still(setBy),
    }));
    this.#setBy = still(this.#setBy);
    this.#offset = Math.min(this.#offset, from);
    this.#position = from;
    this.#effects = Math.min(this.#effects, from);
    this.#lost = lost;
  }

  /**
   * A batch was applied; `setBy` are the last records of rules and options in it, `clock` the log's clock then, `causes` the last Link and
   * Forward records of each partition.
   */
  batchApplied(endOffset: number, setBy: SetBy, clock?: ClockState, causes?: LastCauses): void {
    this.#batches.push({ endOffset, setBy, clock, causes });
    if (this.#batches.length > maxMarks) this.#batches = mergedPairs(this.#batches, mergeBatches);
    this.#position = endOffset;
  }

  /** A document is durable in the output. */
  documentWritten(outputOffset: number, lastMember: number): void {
    this.#written.push({ outputOffset, lastMember });
    if (this.#written.length > maxMarks) this.#written = mergedPairs(this.#written, mergeWritten);
    this.#outputEnd = outputOffset + 1;
  }

  /** The commit for a low-water mark (null: nothing is pending), or null when it would be the same as the last. */
  next(lowWaterMark: number | null): Commit | null {
    for (
      let batch = this.#batches[0];
      batch !== undefined && batch.endOffset <= (lowWaterMark ?? Infinity);
      batch = this.#batches[0]
    ) {
      this.#offset = batch.endOffset;
      this.#setBy.rules = batch.setBy.rules ?? this.#setBy.rules;
      this.#setBy.options = batch.setBy.options ?? this.#setBy.options;
      this.#clock = batch.clock ?? this.#clock;
      this.#causes = batch.causes ?? this.#causes;
      this.#batches.shift();
    }
    if (this.#position === this.#committedPosition) return null;
    this.#committedPosition = this.#position;
    if (this.#lost !== undefined && this.#offset > this.#lost.last.closeOffset) this.#lost = undefined;
    while (this.#written.length > 0 && this.#written[0]!.lastMember < this.#offset) this.#written.shift();
    return {
      offset: this.#offset,
      metadata: this.#metadata(this.#written[0]?.outputOffset ?? this.#outputEnd),
    };
  }

  #metadata(output: number): string {
    // Undefined members are not written.
    return JSON.stringify({
      output,
      outputEpoch: this.#outputEpoch,
      position: this.#position,
      effects: this.#effects > this.#position ? this.#effects : undefined,
      clock: this.#clock,
      causes: this.#causes,
      lost: this.#lost,
      ...this.#setBy,
    });
  }
}

/** Of two adjacent marks, only the end of the second is kept. */
function mergeBatches(a: AppliedBatch, b: AppliedBatch): AppliedBatch {
  const setBy = { rules: b.setBy.rules ?? a.setBy.rules, options: b.setBy.options ?? a.setBy.options };
  return { endOffset: b.endOffset, setBy, clock: b.clock ?? a.clock, causes: b.causes ?? a.causes };
}

function mergeWritten(a: Written, b: Written): Written {
  return { outputOffset: a.outputOffset, lastMember: Math.max(a.lastMember, b.lastMember) };
}

/** Halves the number; an odd one at the end stays. */
function mergedPairs<T>(list: readonly T[], merge: (a: T, b: T) => T): T[] {
  const merged: T[] = [];
  for (let i = 0; i < list.length; i += 2)
    merged.push(i + 1 < list.length ? merge(list[i]!, list[i + 1]!) : list[i]!);
  return merged;
}

/** Reads a commit's metadata; without a commit, everything is read from the start. */
export function parseMetadata(commit: Commit | null): Metadata {
  return commit === null || commit.metadata === ''
    ? { output: 0, position: 0 }
    : (JSON.parse(commit.metadata) as Metadata);
}

/** Whose effects are in the log: those of records before this offset. */
export function effectsEnd({ position, effects = 0 }: Pick<Metadata, 'position' | 'effects'>): number {
  return Math.max(position, effects);
}
