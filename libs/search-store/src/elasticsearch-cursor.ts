import { SearchStoreError, type Total } from './search-store.ts';

/** The sort values of the last hit of a page, and the total that its first page told. */
export interface SortCursor {
  /** Time in microseconds, partition, offset: no two documents share all three. */
  after: [micros: number, partition: number, offset: number];
  total: Total;
}

/** The cursor as text that can stand in a URL. It holds no state of the server, so it never expires. */
export function encodeSortCursor({ after, total }: SortCursor): string {
  return Buffer.from(JSON.stringify([...after, total.value])).toString('base64url');
}

/** Throws SearchStoreError `bad-cursor`. */
export function decodeSortCursor(text: string): SortCursor {
  let fields: unknown;
  try {
    fields = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    fields = undefined;
  }
  if (!Array.isArray(fields) || fields.length !== 4 || !fields.every((field) => Number.isSafeInteger(field)))
    throw new SearchStoreError('bad-cursor', 'this is no cursor that a search gave');
  const [micros, partition, offset, value] = fields as [number, number, number, number];
  return { after: [micros, partition, offset], total: { value, exact: true } };
}
