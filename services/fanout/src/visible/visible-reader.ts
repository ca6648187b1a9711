import type { LiveItem } from '../stream/stream-kind.ts';
import type { StreamReader } from '../history/history-source.ts';

/** How many documents a reader of the past evaluates at once: the members of each may have to be read. */
export const documentsPerRead = 32;

/** Reads the past of the documents as one imposed filter passes them; hidden ones keep their places. */
export class VisibleReader implements StreamReader {
  readonly #whole: StreamReader;
  readonly #see: (document: LiveItem) => Promise<LiveItem>;

  constructor(whole: StreamReader, see: (document: LiveItem) => Promise<LiveItem>) {
    this.#whole = whole;
    this.#see = see;
  }

  get position(): readonly number[] {
    return this.#whole.position;
  }

  get lost(): number {
    return this.#whole.lost;
  }

  set lost(records: number) {
    this.#whole.lost = records;
  }

  get heldBytes(): number {
    return this.#whole.heldBytes;
  }

  /** Rejects when the log or the archive cannot be read; this reader then loses what it had read. */
  async read(maxRecords: number): Promise<LiveItem[]> {
    const seen: LiveItem[] = [];
    for (const document of await this.#whole.read(Math.min(maxRecords, documentsPerRead)))
      seen.push(await this.#see(document));
    return seen;
  }
}
