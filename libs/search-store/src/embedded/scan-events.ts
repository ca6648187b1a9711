import type { ReadView } from '@logloom/column-store';
import { sqlLiteral } from '@logloom/filter';
import { SearchStoreError, type FoundEvent } from '../search-store.ts';
import type { ScanPage, ScanQuery } from '../scan.ts';
import { FilteredEvents } from './filtered-events.ts';
import { findPlaces, readEvents } from './search-events.ts';

/** The highest offset of each epoch (empty: none) and partition: events are only added beyond. */
type Ends = [epoch: string, partition: number, last: number][];

/** Behind every epoch: those are letters and digits. */
const lastEpoch = '~';

/** As SearchStore.scan(). */
export async function scanEvents(
  view: ReadView,
  { filter, limit, snapshot, after, ...range }: ScanQuery,
  pageBytes: number,
): Promise<ScanPage<FoundEvent>> {
  const ends = snapshot === undefined ? await endsOf(view) : unpackEnds(snapshot);
  const places = await findPlaces(new FilteredEvents(view, filter), {
    range,
    after: after && { ...after, micros: after.timestamp, epoch: lastEpoch },
    order: 'asc',
    // One more shows whether there is a next page.
    limit: limit + 1,
    also: isUpTo(ends),
  });
  const events = await readEvents(view, places.slice(0, limit), pageBytes);
  return {
    events,
    snapshot: Buffer.from(JSON.stringify(ends)).toString('base64url'),
    isLast: events.length === places.length,
  };
}

async function endsOf(view: ReadView): Promise<Ends> {
  const ends = new Map<string, Ends[number]>();
  const add = (epoch: string, partition: number, last: number): void => {
    const key = `${partition} ${epoch}`;
    if (last > (ends.get(key)?.[2] ?? -1)) ends.set(key, [epoch, partition, last]);
  };
  for (const { places } of view.slices)
    for (const { epoch, partition, last } of places) add(epoch ?? '', partition, last);
  const recent = await view.rows(
    `SELECT coalesce(epoch, ''), partition, max("offset") FROM ${view.events({ only: () => false })} GROUP BY ALL`,
  );
  for (const [epoch, partition, last] of recent) add(String(epoch), Number(partition), Number(last));
  return [...ends.values()];
}

function isUpTo(ends: Ends): string {
  const conditions = ends.map(
    ([epoch, partition, last]) =>
      `coalesce(epoch, '') = ${sqlLiteral(epoch)} AND partition = ${partition} AND "offset" <= ${last}`,
  );
  return conditions.length === 0 ? 'FALSE' : conditions.map((condition) => `(${condition})`).join(' OR ');
}

/** Throws SearchStoreError `bad-cursor`. */
function unpackEnds(text: string): Ends {
  let ends: unknown;
  try {
    ends = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    ends = undefined;
  }
  if (!Array.isArray(ends) || !ends.every(isEnd))
    throw new SearchStoreError('bad-cursor', 'this is not a snapshot that a scan returned');
  return ends as Ends;
}

function isEnd(end: unknown): boolean {
  if (!Array.isArray(end) || end.length !== 3) return false;
  const [epoch, partition, last] = end as unknown[];
  return typeof epoch === 'string' && Number.isSafeInteger(partition) && Number.isSafeInteger(last);
}
