import { SearchStoreError, type Total } from './search-store.ts';

/** The last row of a page, and the total that its first page told. */
export interface PageCursor {
  micros: number;
  rowid: number;
  total: Total;
}

/** The cursor as text that can stand in a URL. */
export function encodeCursor({ micros, rowid, total }: PageCursor): string {
  return Buffer.from(JSON.stringify([micros, rowid, total.value, total.exact ? 1 : 0])).toString('base64url');
}

/** Throws SearchStoreError `bad-cursor`. */
export function decodeCursor(text: string): PageCursor {
  let fields: unknown;
  try {
    fields = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    fields = undefined;
  }
  if (!Array.isArray(fields) || fields.length !== 4 || !fields.every((field) => Number.isSafeInteger(field)))
    throw new SearchStoreError('bad-cursor', 'this is no cursor that a search gave');
  const [micros, rowid, value, exact] = fields as [number, number, number, number];
  return { micros, rowid, total: { value, exact: exact === 1 } };
}
