import type { Commit } from '@logloom/event-log';

/** What a commit's metadata holds, as JSON. */
interface Metadata {
  /** The output partition is to be read from here on to know what is written of the records from the committed offset on. */
  output: number;
  /** The epoch of the output topic, in which that position counts; absent from an earlier release. */
  outputEpoch?: string;
  /** The last record before the committed offset that set the rules, and the last that set the options; absent where there is none. */
  rules?: number;
  options?: number;
  /** The next record to apply. The committed offset is the restart point and lies behind it; the lag is counted from here. */
  position: number;
}

/** Offsets of the records that set what is in force. */
export interface SetBy {
  rules?: number | undefined;
  options?: number | undefined;
}

interface Batch {
  endOffset: number;
  setBy: SetBy;
}

interface Written {
  outputOffset: number;
  lastMember: number;
}

/**
 * Works out from where a restart must read: the low-water mark, rounded down to the end of a batch, with the position in the output
 * that belongs to it. Only what lies between there and now is kept in memory.
 */
export class RestartPoint {
  readonly #batches: Batch[] = [];
  readonly #written: Written[] = [];
  #offset: number;
  #position: number;
  #committedPosition: number;
  #outputEnd: number;
  #setBy: SetBy;
  readonly #outputEpoch: string | undefined;

  constructor(offset: number, outputEnd: number, setBy: SetBy = {}, outputEpoch?: string) {
    this.#outputEpoch = outputEpoch;
    this.#setBy = { rules: setBy.rules, options: setBy.options };
    this.#offset = this.#position = this.#committedPosition = offset;
    this.#outputEnd = outputEnd;
  }

  /** A batch was applied; `setBy` are the last records of rules and options in it. */
  batchApplied(endOffset: number, setBy: SetBy): void {
    this.#batches.push({ endOffset, setBy });
    this.#position = endOffset;
  }

  /** A document is durable in the output. */
  documentWritten(outputOffset: number, lastMember: number): void {
    this.#written.push({ outputOffset, lastMember });
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
      this.#batches.shift();
    }
    if (this.#position === this.#committedPosition) return null;
    this.#committedPosition = this.#position;
    while (this.#written.length > 0 && this.#written[0]!.lastMember < this.#offset) this.#written.shift();
    return {
      offset: this.#offset,
      metadata: this.#metadata(this.#written[0]?.outputOffset ?? this.#outputEnd),
    };
  }

  #metadata(output: number): string {
    // What is undefined is not written.
    return JSON.stringify({
      output,
      outputEpoch: this.#outputEpoch,
      position: this.#position,
      ...this.#setBy,
    });
  }
}

/** Reads a commit's metadata; without a commit, everything is read from the start. */
export function parseMetadata(commit: Commit | null): Metadata {
  return commit === null || commit.metadata === ''
    ? { output: 0, position: 0 }
    : (JSON.parse(commit.metadata) as Metadata);
}
