import type { SearchResult } from '../result.ts';
import { getJson, type SearchTarget } from '../target/get-json.ts';
import { requestId, type Traffic } from '../traffic/traffic.ts';
import { pagesOf, type StoredEvents } from './stored-events.ts';

/** Of a run that is too large to look at all: none broken of so many excludes 1 in 1,000. */
const sampledRequests = 3_000;
const sampledAtATime = 4;

interface DocumentPage {
  correlations: { correlationId: string; partition: number; members: number[] }[];
  next?: string;
}

export interface CheckedRequests {
  counts: SearchResult['requests'];
  example: string | null;
}

/**
 * Compares the documents of all requests with the events: each event of a request is in exactly one of its documents. A request with an
 * event that `isCertain` denies may be whole with it or without, and is left out.
 */
export async function checkAllRequests(
  target: SearchTarget,
  traffic: Traffic,
  stored: StoredEvents,
  { total, isCertain }: { total: number; isCertain: (n: number) => boolean },
  signal: AbortSignal,
): Promise<CheckedRequests> {
  const expected = traffic.requestCount(total);
  const members = new Map<string, string[]>();
  const pages = pagesOf<DocumentPage>(
    target,
    '/api/correlations',
    ownRequests(traffic.run, target.isHidden),
    signal,
  );
  for await (const { correlations } of pages)
    for (const { correlationId, partition, members: offsets } of correlations) {
      const places = members.get(correlationId) ?? [];
      for (const offset of offsets) places.push(`${partition}:${offset}`);
      members.set(correlationId, places);
    }
  const result: CheckedRequests = {
    counts: { expected, found: members.size, checked: 0, broken: 0 },
    example: null,
  };
  for (let request = 0; request < expected; request++) {
    const numbers = traffic.membersOf(request, total);
    // An event that is not found is told as that, and not as a broken request too.
    if (!numbers.every((n) => isCertain(n) && stored.count(n) > 0)) continue;
    const id = requestId(traffic.run, request);
    const places = members.get(id);
    if (places === undefined) {
      result.example ??= `request ${id} has no document`;
      continue;
    }
    compare(
      result,
      id,
      places,
      numbers.map((n) => stored.placeOf(n)),
    );
  }
  return result;
}

/** Looks at some of the requests, evenly spread, one by one: for runs with more events than can be listed. */
export async function checkSomeRequests(
  target: SearchTarget,
  traffic: Traffic,
  { total, isCertain }: { total: number; isCertain: (n: number) => boolean },
  signal: AbortSignal,
): Promise<CheckedRequests> {
  const expected = traffic.requestCount(total);
  const all = await getJson<{ total: { value: number } }>(
    target,
    `/api/correlations?q=${encodeURIComponent(ownRequests(traffic.run, target.isHidden))}&limit=0`,
  );
  const result: CheckedRequests = {
    counts: { expected, found: Math.min(expected, all?.total.value ?? 0), checked: 0, broken: 0 },
    example: null,
  };
  const step = Math.max(1, Math.floor(expected / sampledRequests));
  const requests = Array.from({ length: Math.ceil(expected / step) }, (_, i) => i * step);
  const next = requests[Symbol.iterator]();
  const look = async (): Promise<void> => {
    for (const request of next) {
      const numbers = traffic.membersOf(request, total);
      if (signal.aborted || !numbers.every(isCertain)) continue;
      const id = requestId(traffic.run, request);
      const body = await getJson<{ events?: { attributes: { loadtest: { n: number } } }[] }>(
        target,
        `/api/correlations/${encodeURIComponent(id)}`,
      );
      const found = (body?.events ?? []).map(({ attributes }) => String(attributes.loadtest.n));
      compare(result, id, found, numbers.map(String));
    }
  };
  await Promise.all(Array.from({ length: sampledAtATime }, look));
  return result;
}

/** A filter for the requests of a run; `isHidden`: users do not see them. */
export function ownRequests(run: string, isHidden = false): string {
  const ids = `correlationId:${requestId(run, 0).slice(0, -1)}*`;
  return isHidden ? `kind:loadtest AND ${ids}` : ids;
}

function compare(result: CheckedRequests, id: string, found: string[], due: string[]): void {
  result.counts.checked++;
  if (found.toSorted().join() === due.toSorted().join()) return;
  result.counts.broken++;
  result.example ??= `request ${id} has the events ${found.join(', ') || '(none)'}, not ${due.join(', ')}`;
}
