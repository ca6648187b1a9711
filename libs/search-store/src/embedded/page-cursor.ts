import { packCursor, unpackCursor } from '../packed-cursor.ts';
import type { Total } from '../search-store.ts';

/** The last row of a page, and the total of the first page. */
export interface PageCursor {
  micros: number;
  rowid: number;
  total: Total;
}

/** The cursor as text that is safe in a URL. */
export function encodeCursor({ micros, rowid, total }: PageCursor): string {
  return packCursor([micros, rowid, total.value, total.exact ? 1 : 0]);
}

/** Throws SearchStoreError `bad-cursor`. */
export function decodeCursor(text: string): PageCursor {
  const [micros, rowid, value, exact] = unpackCursor(text);
  return { micros, rowid, total: { value, exact: exact === 1 } };
}
