import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { defaultTraffic } from '../scenario/scenario.ts';
import { requestId, Traffic } from '../traffic/traffic.ts';
import { checkSearch } from './search-check.ts';

const total = 2_400;
const traffic = new Traffic('00c0ffee0123', defaultTraffic);
const signal = new AbortController().signal;
const nothingMissing = { total, notStored: new Set<number>(), unknown: 0 };

interface Event {
  partition: number;
  offset: number;
  attributes: { loadtest: { n: number } };
}

interface Document {
  correlationId: string;
  partition: number;
  members: number[];
}

const eventOf = (n: number): Event => ({
  partition: traffic.placeOf(n).request % 4,
  offset: 10_000 + n,
  attributes: { loadtest: { n } },
});
const allEvents = (): Event[] => Array.from({ length: total }, (_, n) => eventOf(n));
const allDocuments = (): Document[] =>
  Array.from({ length: traffic.requestCount(total) }, (_, request) => ({
    correlationId: requestId(traffic.run, request),
    partition: request % 4,
    members: traffic.membersOf(request, total).map((n) => 10_000 + n),
  }));

/** A search with these events and documents, in pages of at most 1,000. */
async function searchWith(t: TestContext, events: Event[], correlations: Document[]): Promise<string> {
  const server = createServer(({ url }, response) => {
    const { pathname, searchParams } = new URL(url!, 'http://x');
    const [name, all] = pathname === '/api/search' ? ['events', events] : ['correlations', correlations];
    const from = Number(searchParams.get('cursor') ?? 0);
    const to = from + Number(searchParams.get('limit'));
    const page = { total: { value: all.length }, [name]: all.slice(from, to) };
    response.end(JSON.stringify(to < all.length && to > from ? { ...page, next: String(to) } : page));
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('all events and requests are looked at, also requests of several documents', async (t) => {
  const documents = allDocuments();
  const [first] = documents;
  documents.push({ ...first!, members: first!.members.splice(3) });
  const url = await searchWith(t, allEvents(), documents);
  const result = await checkSearch({ url }, traffic, nothingMissing, 1_000, signal);
  const requests = traffic.requestCount(total);
  assert.deepEqual(
    { ...result, settledS: 0 },
    {
      acknowledged: total,
      found: total,
      checked: total,
      duplicated: 0,
      settledS: 0,
      requests: { expected: requests, found: requests, checked: requests, broken: 0 },
      example: null,
    },
  );
});

test('one event that is missing is told although another is there twice, and a request without one of its events', async (t) => {
  const events = [...allEvents().filter((_, n) => n !== 1_234), eventOf(77)];
  const documents = allDocuments();
  documents[5]!.members.pop();
  documents.pop();
  const url = await searchWith(t, events, documents);
  const result = await checkSearch({ url }, traffic, nothingMissing, 1_000, signal);
  assert.deepEqual([result?.found, result?.duplicated], [total - 1, 1]);
  assert.match(result!.example!, /^event 77 is found 2 times/);
  const requests = traffic.requestCount(total);
  // That of the missing event is not counted twice.
  assert.deepEqual(result?.requests, {
    expected: requests,
    found: requests - 1,
    checked: requests - 2,
    broken: 1,
  });
});

test('an event that may be stored or not is not missing, and its request may be whole or not', async (t) => {
  const url = await searchWith(t, allEvents().slice(1), allDocuments());
  const result = await checkSearch(
    { url },
    traffic,
    { total, notStored: new Set([0]), unknown: 1 },
    1_000,
    signal,
  );
  assert.deepEqual([result?.acknowledged, result?.found, result?.requests.broken], [total - 1, total - 1, 0]);
});
