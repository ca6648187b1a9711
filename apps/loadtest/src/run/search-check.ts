import { setTimeout as sleep } from 'node:timers/promises';
import { ownEvents } from '../generator/logloom-filter.ts';
import type { SearchResult } from '../result.ts';
import { getJson, type SearchTarget } from '../target/get-json.ts';
import { requestId, type Traffic } from '../traffic/traffic.ts';

const pollMs = 500;
/** How long nothing more may be found before what is missing counts as lost. */
const quietMs = 30_000;
const sampledRequests = 100;

/** What was acknowledged: all below `total`, but for these. */
export interface Stored {
  total: number;
  notStored: ReadonlySet<number>;
  /** Events that may be stored or not. */
  unknown: number;
}

/**
 * Waits until the search finds all that was acknowledged, or nothing more for a while; then looks at a sample of the requests, whether each
 * has its events. Null when there is no search.
 */
export async function checkSearch(
  target: SearchTarget,
  traffic: Traffic,
  { total, notStored, unknown }: Stored,
  signal: AbortSignal,
): Promise<SearchResult | null> {
  const { run } = traffic;
  const acknowledged = total - notStored.size;
  const own = ownEvents(run, target.isHidden);
  const began = performance.now();
  let found = 0;
  let grewAt = performance.now();
  let settledS: number | null = null;
  for (;;) {
    const count = await totalOf(target, `/api/search?q=${encodeURIComponent(own)}&limit=1`);
    if (count === undefined && found === 0 && performance.now() - began > quietMs) return null;
    if (count !== undefined && count > found) {
      found = count;
      grewAt = performance.now();
    }
    if (found >= acknowledged) {
      settledS = (performance.now() - began) / 1_000;
      break;
    }
    if (performance.now() - grewAt > quietMs || signal.aborted) break;
    await sleep(pollMs);
  }
  const requests = await checkRequests(target, traffic, { total, notStored }, signal);
  const tooMany = found - acknowledged - unknown;
  return {
    acknowledged,
    found,
    settledS,
    requests: requests.counts,
    example:
      requests.example ?? (tooMany > 0 ? `${tooMany} more events were found than were sent: ${own}` : null),
  };
}

async function checkRequests(
  target: SearchTarget,
  traffic: Traffic,
  { total, notStored }: Pick<Stored, 'total' | 'notStored'>,
  signal: AbortSignal,
): Promise<{ counts: SearchResult['requests']; example: string | null }> {
  const expected = traffic.requestCount(total);
  const step = Math.max(1, Math.floor(expected / sampledRequests));
  let checked = 0;
  let broken = 0;
  let example: string | null = null;
  for (let request = 0; request < expected && !signal.aborted; request += step) {
    const members = traffic.membersOf(request, total);
    // A request with an event whose fate nobody told may be whole with it or without.
    if (members.some((n) => notStored.has(n))) continue;
    checked++;
    const id = requestId(traffic.run, request);
    const numbers = await membersFound(target, id, members.length, signal);
    if (numbers?.join() === members.join()) continue;
    broken++;
    example ??= `request ${id} has the events ${numbers?.join(', ') ?? '(not found)'}, not ${members.join(', ')}`;
  }
  const ids = `correlationId:${requestId(traffic.run, 0).replace(/0$/, '*')}`;
  const all = target.isHidden === true ? `kind:loadtest AND ${ids}` : ids;
  const found = await documentsFound(target, all, expected, signal);
  return { counts: { expected, found, checked, broken }, example };
}

/** How many documents the filter finds; waits for as many as expected: those of the last requests are not closed yet. */
async function documentsFound(
  target: SearchTarget,
  filter: string,
  expected: number,
  signal: AbortSignal,
): Promise<number> {
  const until = performance.now() + quietMs;
  for (;;) {
    const found = (await totalOf(target, `/api/correlations?q=${encodeURIComponent(filter)}&limit=1`)) ?? 0;
    if (found >= expected || performance.now() > until || signal.aborted) return found;
    await sleep(pollMs);
  }
}

/** The numbers of the events in a request's documents, in order; waits for a document that is not closed yet. */
async function membersFound(
  target: SearchTarget,
  id: string,
  count: number,
  signal: AbortSignal,
): Promise<number[] | undefined> {
  const until = performance.now() + quietMs;
  for (;;) {
    const body = await getJson<{ events?: { attributes: { loadtest: { n: number } } }[] }>(
      target,
      `/api/correlations/${encodeURIComponent(id)}`,
    );
    const numbers = body?.events?.map(({ attributes }) => attributes.loadtest.n).sort((a, b) => a - b);
    if ((numbers?.length ?? 0) >= count || performance.now() > until || signal.aborted) return numbers;
    await sleep(pollMs);
  }
}

async function totalOf(target: SearchTarget, path: string): Promise<number | undefined> {
  return (await getJson<{ total: { value: number } }>(target, path))?.total.value;
}
