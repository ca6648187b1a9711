import { maxMetadataBytes, type Commit, type SourceMark } from '@logloom/event-log';

/** What a commit's metadata holds, as JSON. */
interface Metadata {
  /** The output partition is to be read from here on to know what is written of the records from the committed offset on. */
  output: number;
  /** How far each source was seen before the committed offset. */
  sources: SourceMark[];
  /** The last record of rules before the committed offset; absent where there is none. */
  rules?: number;
  /** The next record to apply. The committed offset is the restart point and lies behind it; the lag is counted from here. */
  position: number;
}

interface Batch {
  endOffset: number;
  changed: SourceMark[];
  rules: number | undefined;
}

interface Written {
  outputOffset: number;
  lastMember: number;
}

/**
 * Works out from where a restart must read: the low-water mark, rounded down to the end of a batch, with the position in the output
 * and the source marks that belong to it. Only what lies between there and now is kept in memory.
 */
export class RestartPoint {
  readonly #batches: Batch[] = [];
  readonly #written: Written[] = [];
  readonly #sources: Map<string, SourceMark>;
  #offset: number;
  #position: number;
  #committedPosition: number;
  #outputEnd: number;
  #rules: number | undefined;

  constructor(offset: number, outputEnd: number, sources: readonly SourceMark[], rules?: number) {
    this.#rules = rules;
    this.#offset = this.#position = this.#committedPosition = offset;
    this.#outputEnd = outputEnd;
    this.#sources = new Map(sources.map((mark) => [mark[0], mark]));
  }

  /** A batch was applied; `changed` are the source marks that it moved, `rules` is the offset of the last rules in it. */
  batchApplied(endOffset: number, changed: SourceMark[], rules?: number): void {
    this.#batches.push({ endOffset, changed, rules });
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
      this.#rules = batch.rules ?? this.#rules;
      for (const mark of batch.changed) {
        // Deleted first, so that the map's order is that of the last change.
        this.#sources.delete(mark[0]);
        this.#sources.set(mark[0], mark);
      }
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

  /** The sources that were seen last, as many as fit: a copy comes soon after its original, from a source that is still at work. */
  #metadata(output: number): string {
    const sources: SourceMark[] = [];
    let bytes = 128;
    for (const mark of [...this.#sources.values()].reverse()) {
      bytes += Buffer.byteLength(JSON.stringify(mark)) + 1;
      if (bytes > maxMetadataBytes) {
        this.#sources.delete(mark[0]);
        continue;
      }
      sources.unshift(mark);
    }
    const rules = this.#rules === undefined ? {} : { rules: this.#rules };
    return JSON.stringify({ output, sources, position: this.#position, ...rules } satisfies Metadata);
  }
}

/** Reads a commit's metadata; without a commit, everything is read from the start. */
export function parseMetadata(commit: Commit | null): Metadata {
  return commit === null || commit.metadata === ''
    ? { output: 0, sources: [], position: 0 }
    : (JSON.parse(commit.metadata) as Metadata);
}
