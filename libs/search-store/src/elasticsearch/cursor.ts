import { packCursor, unpackCursor } from '../packed-cursor.ts';
import type { Total } from '../search-store.ts';

/** The sort values of the last hit of a page, and the total of the first page. */
export interface SortCursor {
  /** Time in microseconds, partition, offset: no two documents share all three. */
  after: [micros: number, partition: number, offset: number];
  total: Total;
}

/** The cursor as text that is safe in a URL. It refers to no state of the server, so it never expires. */
export function encodeSortCursor({ after, total }: SortCursor): string {
  return packCursor([...after, total.value]);
}

/** Throws SearchStoreError `bad-cursor`. */
export function decodeSortCursor(text: string): SortCursor {
  const [micros, partition, offset, value] = unpackCursor(text);
  return { after: [micros, partition, offset], total: { value, exact: true } };
}
