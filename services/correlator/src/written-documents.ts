import { memberOffsets, type Correlation } from '@logloom/schemas';

/** The documents that the output holds for records that are read again, in the order in which they were written. */
export class WrittenDocuments {
  readonly #documents: readonly Correlation[];
  readonly #startOffset: number;
  #next = 0;
  /** Members to come, and those of them whose document began before: nothing is to be done about these. */
  readonly #covered = new Set<number>();
  readonly #finished = new Set<number>();
  readonly #resumeOffset: number;
  readonly #resumeSequence: number;

  /** `startOffset` is the first offset that is read again. */
  constructor(documents: readonly Correlation[], startOffset: number) {
    this.#documents = documents;
    this.#startOffset = startOffset;
    for (const document of documents) {
      const members = document.firstOffset < startOffset ? this.#finished : this.#covered;
      for (const offset of memberOffsets(document)) if (offset >= startOffset) members.add(offset);
    }
    this.#resumeOffset = documents.at(-1)?.closeOffset ?? -1;
    this.#resumeSequence = documents.at(-1)?.closeSequence ?? -1;
  }

  /** Whether all of them were taken. */
  get isDone(): boolean {
    return this.#next === this.#documents.length;
  }

  /** Whether all closes at this offset are written: nothing closes there but what they say. */
  isBefore(offset: number): boolean {
    return offset < this.#resumeOffset;
  }

  /** How many closes at this offset are written; the next one has this number. */
  closesAt(offset: number): number {
    return offset === this.#resumeOffset ? this.#resumeSequence + 1 : 0;
  }

  /** Whether the event belongs to a written document. */
  covers(offset: number): boolean {
    return this.#covered.has(offset);
  }

  /** Whether the event belongs to a document whose group was done before the start. */
  isFinished(offset: number): boolean {
    return this.#finished.has(offset);
  }

  /** The next one that was closed up to this offset; one that the event at this offset closed itself only with `byEvent`. */
  next(offset: number, byEvent: boolean): Correlation | undefined {
    for (; this.#next < this.#documents.length; this.#next++) {
      const document = this.#documents[this.#next]!;
      if (document.closeOffset > offset) return undefined;
      if (!byEvent && document.closeOffset === offset && lastMember(document) === offset) return undefined;
      if (document.firstOffset < this.#startOffset) continue;
      this.#next++;
      return document;
    }
    return undefined;
  }
}

/** The offset of a document's last member. */
export function lastMember({ firstOffset, memberDeltas }: Correlation): number {
  return memberDeltas.reduce((sum, delta) => sum + delta, firstOffset);
}
