import type { FilterNode } from '@logloom/filter';
import { bytesOf } from '../page-bytes.ts';
import type { FoundEvent, SearchQuery } from '../search-store.ts';
import { isIdField, relationOf } from './candidates.ts';
import type { FilteredEvents } from './filtered-events.ts';
import { foundColumns, foundEventOf } from './found-event.ts';

/** More blocks are walked in time instead. */
const maxBlocks = 64;

/**
 * All events of a filter that asks for an id, read at once: two queries, one for the places and one for the events, would decompress the same blocks twice.
 * Undefined where there are more than `limit`, or they may be many or large.
 */
export async function fewEvents(
  matching: FilteredEvents,
  { filter, limit, order, ...range }: SearchQuery,
  pageBytes: number,
): Promise<FoundEvent[] | undefined> {
  if (!asksForId(filter.ast)) return undefined;
  const candidates = await matching.candidatesOf(matching.slicesIn(range));
  if (candidates.reduce((sum, { blocks }) => sum + (blocks?.length ?? 1), 0) > maxBlocks) return undefined;
  const { view } = matching;
  const rows = await view.rows(
    `SELECT ${foundColumns} FROM ${relationOf(view, candidates, true)} WHERE ${matching.condition(range)}
     ORDER BY ${orderBy(order)} LIMIT ${limit + 1}`,
  );
  if (rows.length > limit) return undefined;
  const events = rows.map((row) => foundEventOf(row).event);
  const bytes = events.reduce((sum, event) => sum + bytesOf(Object.values(event)), 0);
  return bytes < pageBytes ? events : undefined;
}

/** SQL: the order of pages. */
export function orderBy(order: 'asc' | 'desc'): string {
  const direction = order === 'asc' ? 'ASC' : 'DESC';
  return ['timestamp', 'partition', '"offset"', "coalesce(epoch, '')"]
    .map((column) => `${column} ${direction}`)
    .join(', ');
}

function asksForId(node: FilterNode): boolean {
  if (node.type === 'and') return node.children.some(asksForId);
  return node.type === 'keyword' && node.match.type === 'equals' && isIdField(node.field);
}
