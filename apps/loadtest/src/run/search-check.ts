import { setTimeout as sleep } from 'node:timers/promises';
import { ownEvents } from '../generator/logloom-filter.ts';
import type { SearchResult } from '../result.ts';
import { getJson, type SearchTarget } from '../target/get-json.ts';
import type { Traffic } from '../traffic/traffic.ts';
import { listEvents } from './stored-events.ts';
import { checkAllRequests, checkSomeRequests, ownRequests } from './stored-requests.ts';

const pollMs = 500;

/** What was acknowledged: all below `total`, but for these. */
export interface Stored {
  total: number;
  notStored: ReadonlySet<number>;
  /** Events that may be stored or not. */
  unknown: number;
}

/**
 * Waits until the search finds all that was acknowledged, each event once, and every request whole, or nothing changes for a while. Up to a
 * million events all are looked at one by one, and all requests; of a larger run the first million and a sample of the requests. Null when
 * there is no search. `quietMs`: how long nothing may change before what is missing counts as lost.
 */
export async function checkSearch(
  target: SearchTarget,
  traffic: Traffic,
  stored: Stored,
  quietMs: number,
  signal: AbortSignal,
): Promise<SearchResult | null> {
  const acknowledged = stored.total - stored.notStored.size;
  const requests = traffic.requestCount(stored.total);
  const began = performance.now();
  let changedAt = began;
  let before = '';
  let settledS: number | null = null;
  let result: SearchResult | null = null;
  for (;;) {
    const lookedAt = performance.now();
    const totals = await totalsOf(target, traffic);
    if ((totals?.events ?? 0) >= acknowledged) settledS ??= (performance.now() - began) / 1_000;
    const isLast = performance.now() - changedAt > quietMs;
    const mayBeAll = totals !== undefined && totals.events >= acknowledged && totals.requests >= requests;
    if (totals !== undefined && (mayBeAll || isLast)) {
      result = await look(target, traffic, stored, totals.events, signal);
      if (isWhole(result)) break;
    }
    if (isLast || signal.aborted) break;
    const now = JSON.stringify([totals, result]);
    if (now !== before) changedAt = performance.now();
    before = now;
    // What takes long to look at is not looked at all the time.
    await sleep(Math.max(pollMs, performance.now() - lookedAt));
  }
  return result === null ? null : { ...result, settledS };
}

function isWhole({ acknowledged, found, duplicated, requests }: SearchResult): boolean {
  return (
    found >= acknowledged && duplicated === 0 && requests.found >= requests.expected && requests.broken === 0
  );
}

/** How many events and documents there are; undefined: there is no answer. */
async function totalsOf(
  target: SearchTarget,
  { run }: Traffic,
): Promise<{ events: number; requests: number } | undefined> {
  const totals = await Promise.all(
    [
      `/api/search?q=${encodeURIComponent(ownEvents(run, target.isHidden))}`,
      `/api/correlations?q=${encodeURIComponent(ownRequests(run, target.isHidden))}`,
    ].map((path) => getJson<{ total: { value: number } }>(target, `${path}&limit=0`)),
  );
  const [events, requests] = totals;
  return events && requests && { events: events.total.value, requests: requests.total.value };
}

/** `counted`: how many events the search says that it has. */
async function look(
  target: SearchTarget,
  traffic: Traffic,
  { total, notStored, unknown }: Stored,
  counted: number,
  signal: AbortSignal,
): Promise<SearchResult> {
  const acknowledged = total - notStored.size;
  const own = ownEvents(traffic.run, target.isHidden);
  const isCertain = (n: number): boolean => !notStored.has(n);
  const events = await listEvents(target, own, total, signal);
  const requests = events.isWhole
    ? await checkAllRequests(target, traffic, events, { total, isCertain }, signal)
    : await checkSomeRequests(target, traffic, { total, isCertain }, signal);
  let found = 0;
  let duplicated = 0;
  let example: string | null = null;
  for (let n = 0; n < total; n++) {
    const count = events.count(n);
    if (count > 1) {
      duplicated++;
      example ??= `event ${n} is found ${count} times: ${own} AND attributes.loadtest.n:${n}`;
    }
    if (!isCertain(n)) continue;
    if (count > 0) found++;
    else if (events.isWhole) example ??= `event ${n} is not found: ${own} AND attributes.loadtest.n:${n}`;
  }
  const tooMany = counted - acknowledged - unknown;
  const isMore = tooMany > 0 ? `${tooMany} more events were found than were sent: ${own}` : null;
  return {
    acknowledged,
    found: events.isWhole ? found : Math.min(acknowledged, counted),
    checked: events.listed,
    duplicated,
    settledS: null,
    requests: requests.counts,
    example: example ?? requests.example ?? isMore,
  };
}
