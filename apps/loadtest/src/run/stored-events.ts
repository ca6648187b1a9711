import { getJson, type SearchTarget } from '../target/get-json.ts';

/** More are not looked at one by one: 16 bytes each. */
export const mostListedEvents = 1_000_000;
const pageSize = 1_000;

interface EventPage {
  events: { partition: number; offset: number; attributes: { loadtest: { n: number } } }[];
  next?: string;
}

/** The events of a run as the search has them: how often each was found, and where it is in the log. */
export class StoredEvents {
  readonly #counts: Uint8Array;
  readonly #partitions: Int32Array;
  readonly #offsets: Float64Array;
  /** Events found, those found twice counted twice. */
  listed = 0;
  /** With a number that the run has not sent. */
  unsent = 0;
  /** False: there were more, or a page could not be read. */
  isWhole = false;

  /** Of a run of `total` events. */
  constructor(total: number) {
    this.#counts = new Uint8Array(total);
    this.#partitions = new Int32Array(total);
    this.#offsets = new Float64Array(total);
  }

  /** How often event `n` was found. */
  count(n: number): number {
    return this.#counts[n]!;
  }

  /** The place in the log of an event that was found. */
  placeOf(n: number): string {
    return `${this.#partitions[n]!}:${this.#offsets[n]!}`;
  }

  add(n: number, partition: number, offset: number): void {
    this.listed++;
    if (!(n >= 0 && n < this.#counts.length)) return void this.unsent++;
    this.#counts[n] = Math.min(255, this.#counts[n]! + 1);
    this.#partitions[n] = partition;
    this.#offsets[n] = offset;
  }
}

/** Reads all events that a filter finds, page by page, up to mostListedEvents. */
export async function listEvents(
  target: SearchTarget,
  filter: string,
  total: number,
  signal: AbortSignal,
): Promise<StoredEvents> {
  const stored = new StoredEvents(total);
  for await (const { events } of pagesOf<EventPage>(target, '/api/search', filter, signal)) {
    for (const { partition, offset, attributes } of events)
      stored.add(attributes.loadtest.n, partition, offset);
    if (stored.listed >= mostListedEvents) return stored;
  }
  stored.isWhole = !signal.aborted;
  return stored;
}

/** All pages, each once. A page that cannot be read, after some attempts, is the last. */
export async function* pagesOf<Page extends { next?: string }>(
  target: SearchTarget,
  path: string,
  filter: string,
  signal: AbortSignal,
): AsyncGenerator<Page> {
  let cursor = '';
  while (!signal.aborted) {
    const address = `${path}?q=${encodeURIComponent(filter)}&limit=${pageSize}${cursor}`;
    const page = (await getJson<Page>(target, address)) ?? (await getJson<Page>(target, address));
    if (page === undefined) return;
    yield page;
    if (page.next === undefined) return;
    cursor = `&cursor=${encodeURIComponent(page.next)}`;
  }
}
