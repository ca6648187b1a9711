import { SearchStoreError } from './search-store.ts';

export type CursorFields = [number, number, number, number];

/** Four whole numbers as text that is safe in a URL. */
export function packCursor(fields: CursorFields): string {
  return Buffer.from(JSON.stringify(fields)).toString('base64url');
}

/** Throws SearchStoreError `bad-cursor`. */
export function unpackCursor(text: string): CursorFields {
  let fields: unknown;
  try {
    fields = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    fields = undefined;
  }
  if (!Array.isArray(fields) || fields.length !== 4 || !fields.every((field) => Number.isSafeInteger(field)))
    throw new SearchStoreError('bad-cursor', 'this is not a cursor that a search returned');
  return fields as CursorFields;
}
