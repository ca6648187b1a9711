import { SearchStoreError, type Total } from '../search-store.ts';

/** Where an event is in the order of pages: by time, and those of one microsecond by their places in the log. */
export interface EventPlace {
  micros: number;
  partition: number;
  offset: number;
  /** Empty where the event has none. */
  epoch: string;
}

/** The last event of a page, and the total of the first page. */
export interface PageCursor extends EventPlace {
  total: Total;
}

/** The columns of an EventPlace, in the order of placeOfRow(). */
export const placeColumns = `epoch_us(timestamp), partition, "offset", coalesce(epoch, '')`;

/** The first columns of a row as the event's place. */
export function placeOfRow([micros, partition, offset, epoch]: readonly unknown[]): EventPlace {
  return {
    micros: Number(micros),
    partition: Number(partition),
    offset: Number(offset),
    epoch: String(epoch),
  };
}

/** The cursor as text that is safe in a URL. */
export function encodeCursor({ micros, partition, offset, epoch, total }: PageCursor): string {
  const fields = [micros, partition, offset, epoch, total.value, total.exact ? 1 : 0];
  return Buffer.from(JSON.stringify(fields)).toString('base64url');
}

/** Throws SearchStoreError `bad-cursor`. */
export function decodeCursor(text: string): PageCursor {
  let fields: unknown;
  try {
    fields = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    fields = undefined;
  }
  if (!Array.isArray(fields) || fields.length !== 6) throw badCursor();
  const [micros, partition, offset, epoch, value, exact] = fields as unknown[];
  if (![micros, partition, offset, value, exact].every(Number.isSafeInteger) || typeof epoch !== 'string')
    throw badCursor();
  return {
    micros: micros as number,
    partition: partition as number,
    offset: offset as number,
    epoch,
    total: { value: value as number, exact: exact === 1 },
  };
}

function badCursor(): SearchStoreError {
  return new SearchStoreError('bad-cursor', 'this is not a cursor that a search returned');
}
