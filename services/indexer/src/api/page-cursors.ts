import type { Sealer } from '@logloom/auth';
import { SearchStoreError } from '@logloom/search-store';

/** The cursors of one query, as callers get them: they can be neither read, nor made, nor used for another query. */
export class PageCursors {
  readonly #sealer: Sealer;
  readonly #context: readonly string[];

  /** `context` is all that tells the query apart: what is asked, of what, and who may see what. */
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
