import type { DatabaseSync } from 'node:sqlite';
import { RequestGroups } from '../request-groups.ts';
import type { GroupRequestsQuery } from '../search-store.ts';
import type { Where } from './where.ts';

type Row = [rowid: number, firstAt: number, durationMs: number, errors: number, keys: string | null];

/** Groups the documents of a condition; a group's place is the row of its latest document. */
export function groupRows(
  db: DatabaseSync,
  by: GroupRequestsQuery['by'],
  where: Where,
): RequestGroups<number> {
  const groups = new RequestGroups<number>();
  // Many documents have the same text of services.
  const lists = new Map<string, string[]>();
  const keysOf = (text: string | null): string[] => {
    if (text === null) return [];
    let keys = lists.get(text);
    if (keys === undefined) {
      keys = by === 'shape' ? [text] : (JSON.parse(text) as string[]);
      lists.set(text, keys);
    }
    return keys;
  };
  const statement = db.prepare(
    `SELECT rowid, first_at, duration_ms, error_count, ${by === 'shape' ? 'shape' : 'services'} FROM correlations WHERE ${where.sql}`,
  );
  statement.setReturnArrays(true);
  for (const row of statement.iterate(...where.params)) {
    const [rowid, firstAt, durationMs, errors, text] = row as unknown as Row;
    groups.add({ keys: keysOf(text), firstAt, durationMs, hasErrors: errors > 0, place: rowid });
  }
  return groups;
}
