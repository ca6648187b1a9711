import { parseFilter, type Filter } from '@logloom/filter';
import type { PlacedEvent } from '@logloom/schemas';
import { placedEvent } from '@logloom/testing';
import assert from 'node:assert/strict';
import type { ScanQuery } from '../scan.ts';
import { SearchStoreError, type FoundEvent, type SearchStore } from '../search-store.ts';

type WithStore = (
  title: string,
  run: (store: SearchStore, reopen: () => Promise<SearchStore>) => Promise<void>,
) => void;

/** Registers the tests of SearchStore.scan(). */
export function scanContract(withStore: WithStore): void {
  withStore('a scan gives each event that was stored at its start once, in order', async (store, reopen) => {
    const events = Array.from({ length: 60 }, (_, i) => event(i));
    await store.index(events.filter(({ offset }) => offset % 3 !== 1));
    await store.index(events.filter(({ offset }) => offset % 3 === 1));
    const first = await store.scan(query({ limit: 7 }));
    assert.equal(first.isLast, false);
    // Earlier and later ones, of known and new partitions.
    const late = [event(100, { timestamp: 0 }), event(101), event(4, { partition: 9, id: 'http-p-9-4' })];
    await store.index(late);
    const again = await reopen();
    const found = await readAll(again, query({ limit: 7, snapshot: first.snapshot }), first.events);
    assert.deepEqual(
      found.map(({ id }) => id),
      inOrder(events).map(({ id }) => id),
    );
    const all = await readAll(again, query({ limit: 1000 }));
    assert.equal(all.length, 63);
    // From any place, without the state of before.
    const place = events.find(({ offset }) => offset === 30)!;
    const rest = await readAll(again, query({ limit: 9, snapshot: first.snapshot, after: place }));
    assert.deepEqual(
      rest.map(({ id }) => id),
      inOrder(events)
        .slice(inOrder(events).indexOf(place) + 1)
        .map(({ id }) => id),
    );
  });

  withStore('a scan is of a filter and a range, and an empty one ends at once', async (store) => {
    const none = await store.scan(query({ limit: 5 }));
    assert.deepEqual([none.events, none.isLast], [[], true]);
    const events = Array.from({ length: 30 }, (_, i) => event(i));
    await store.index(events);
    assert.deepEqual((await store.scan(query({ limit: 5, snapshot: none.snapshot }))).events, []);
    const asked = query({ limit: 4, filter: filterOf('service:pay'), fromMicros: 3000, toMicros: 8000 });
    const found = await readAll(store, asked);
    assert.deepEqual(
      found.map(({ id }) => id),
      inOrder(events)
        .filter((e) => e.service === 'pay' && e.timestamp >= 3000 && e.timestamp < 8000)
        .map(({ id }) => id),
    );
    const { source: _, receivedAt: __, ...first } = inOrder(events)[0]!;
    assert.deepEqual((await store.scan(query({ limit: 1 }))).events, [first]);
    for (const snapshot of ['x', Buffer.from('{}').toString('base64url')])
      await assert.rejects(
        store.scan(query({ limit: 1, snapshot })),
        (error) => error instanceof SearchStoreError && error.code === 'bad-cursor',
      );
  });

  withStore('a page of a scan ends early when its events are large', async (store) => {
    const message = `large ${'x'.repeat(900_000)}`;
    await store.index(Array.from({ length: 12 }, (_, i) => event(i, { message })));
    const page = await store.scan(query({ limit: 1000 }));
    assert.ok(page.events.length > 0 && page.events.length <= 10 && !page.isLast, '8 MiB and one event');
    const found = await readAll(store, query({ limit: 1000 }));
    assert.equal(new Set(found.map(({ id }) => id)).size, 12);
    assert.equal(found.length, 12);
  });
}

async function readAll(
  store: SearchStore,
  asked: ScanQuery,
  read: readonly FoundEvent[] = [],
): Promise<FoundEvent[]> {
  const found = [...read];
  let { snapshot } = asked;
  for (;;) {
    const page = await store.scan({ ...asked, snapshot, after: found.at(-1) ?? asked.after });
    assert.ok(page.events.length <= asked.limit);
    found.push(...page.events);
    ({ snapshot } = page);
    if (page.isLast) return found;
  }
}

function inOrder(events: readonly PlacedEvent[]): PlacedEvent[] {
  return events.toSorted(
    (a, b) => a.timestamp - b.timestamp || a.partition - b.partition || a.offset - b.offset,
  );
}

function query(rest: Partial<ScanQuery> & Pick<ScanQuery, 'limit'>): ScanQuery {
  return { filter: filterOf(''), ...rest };
}

function filterOf(text: string): Filter {
  const result = parseFilter(text);
  assert.ok(result.ok, text);
  return result.filter;
}

/** Several have one time, and times go back and forth. */
function event(offset: number, rest: Partial<PlacedEvent> = {}): PlacedEvent {
  const partition = offset % 3;
  const timestamp = Math.floor(((offset * 7) % 60) / 5) * 1000;
  const service = offset % 2 === 0 ? 'pay' : 'shop';
  return placedEvent(offset, { id: `http-p-${partition}-${offset}`, partition, timestamp, service, ...rest });
}
