import type { Sealer } from '@logloom/auth';
import { SearchStoreError } from '@logloom/search-store';

/** The cursors of one query: callers can neither read, nor create, nor use them for another query. */
export class PageCursors {
  readonly #sealer: Sealer;
  readonly #context: readonly string[];

  /** `context` identifies the query: its parameters, its route, and what the caller may see. */
  constructor(sealer: Sealer, context: readonly string[]) {
    this.#sealer = sealer;
    this.#context = context;
  }

  seal(cursor: string | undefined): string | undefined {
    return cursor === undefined ? undefined : this.#sealer.seal(cursor, this.#context);
  }

  /** Throws SearchStoreError `bad-cursor`. */
  open(sealed: string | undefined): string | undefined {
    if (sealed === undefined) return undefined;
    const cursor = this.#sealer.open(sealed, this.#context);
    if (cursor === undefined)
      throw new SearchStoreError('bad-cursor', 'this cursor does not belong to the same search');
    return cursor;
  }
}
