/** An event of the canary as search results and live messages have it. */
export interface CanaryEventJson {
  message: string;
  partition: number;
  offset: number;
}

/** A document of the canary, likewise. */
export interface CanaryDocumentJson {
  id: string;
  correlationId: string;
  eventCount: number;
}

export interface SearchEventsOptions {
  /** The port with /api. */
  url: string;
  token: string;
  /** Only events from this time on, ms since 1970. */
  sinceMs: number;
  signal: AbortSignal;
}

const pageEvents = 1000;
const maxPages = 10;

/** Finds the canary's newest events by the search API. Rejects when it does not answer with them. */
export async function searchEvents({
  url,
  token,
  sinceMs,
  signal,
}: SearchEventsOptions): Promise<CanaryEventJson[]> {
  const address = new URL('/api/search', url);
  address.searchParams.set('q', 'message:canary');
  address.searchParams.set('from', new Date(sinceMs).toISOString());
  address.searchParams.set('limit', String(pageEvents));
  const events: CanaryEventJson[] = [];
  for (let page = 0; page < maxPages; page++) {
    const response = await fetch(address, { headers: { authorization: `Bearer ${token}` }, signal });
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`the search API answered ${response.status}`);
    }
    const found = (await response.json()) as { events: CanaryEventJson[]; next?: string };
    events.push(...found.events);
    if (found.next === undefined) break;
    address.searchParams.set('cursor', found.next);
  }
  return events;
}
