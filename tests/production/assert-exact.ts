import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import type { Services } from './services.ts';
import type { SteadyTraffic } from './steady-traffic.ts';
import type { Viewer } from './viewer.ts';
import {
  allDocuments,
  archivedPlaces,
  contentOf,
  elasticsearchCount,
  readLog,
  searchedPlaces,
  type Logged,
  type Place,
  type Queried,
} from './views.ts';

/** An input line. Every line of the traffic has these. */
export interface Line {
  timestamp: string;
  service: string;
  level: string;
  message: string;
  traceId: string;
}

export interface Summary {
  events: number;
  requests: number;
  documents: number;
  /** Records of the log that repeat another: what a producer or a service sent again. */
  duplicates: number;
}

/** The lines that were sent: each was accepted. */
export function acceptedLines({ lines, result }: Awaited<ReturnType<SteadyTraffic['stop']>>): Line[] {
  assert.deepEqual([result.accepted, result.rejected], [lines.length, 0]);
  return lines.map((text) => JSON.parse(text) as Line);
}

/** Waits until the services have nothing left to do, and every store has as many events as were sent. */
export async function untilStored(
  services: Queried & Pick<Services, 'isIdle'>,
  count: number,
): Promise<void> {
  // Two busy cores index a few hundred events a second.
  const timeoutMs = 120_000 + 5 * count;
  await eventually('every group at the end of the log', () => services.isIdle(), timeoutMs);
  await eventually(
    `${count} events in every store`,
    async () => {
      const { counts } = await services.get<{ counts: Record<string, number> }>('/api/status');
      return counts['archived']! >= count && (await searchedCount(services, counts['events']!)) >= count;
    },
    timeoutMs,
  );
  await eventually('every document stored', () => services.isIdle(), timeoutMs);
}

/** Proves that the log and every store hold exactly these lines, each once, and every request exactly its own. */
export async function assertExact(
  services: Queried,
  { events, duplicates }: Logged,
  lines: readonly Line[],
): Promise<Summary> {
  assertSame(
    'the log holds what was sent',
    events.map(({ content }) => content),
    lines.map(contentOf),
  );
  const places = events.map(({ place }) => place);
  const { counts } = await services.get<{ counts: Record<string, number> }>('/api/status');
  assert.equal(await searchedCount(services, counts['events']!), lines.length, 'events in the search store');
  assertSame('the search returns what the log holds', await searchedPlaces(services), places);
  if (services.env['MONGODB_URL'] === undefined) assert.equal(counts['archived'], lines.length);
  else assertSame('the archive holds what the log holds', await archivedPlaces(services), places);

  const byRequest = Map.groupBy(
    events.filter(({ correlationId }) => correlationId !== null),
    ({ correlationId }) => correlationId!,
  );
  const sentByRequest = Map.groupBy(lines, ({ traceId }) => traceId);
  assert.equal(byRequest.size, sentByRequest.size, 'requests in the log');
  for (const [id, sent] of sentByRequest) {
    const contents = byRequest.get(id)?.map(({ content }) => content) ?? [];
    assertSame(`the log holds the request ${id}`, contents, sent.map(contentOf));
  }
  const documents = await allDocuments(services);
  const members = Map.groupBy(documents, ({ correlationId }) => correlationId);
  assert.equal(members.size, byRequest.size, 'requests with a document');
  for (const [id, of] of byRequest) {
    const found = (members.get(id) ?? []).flatMap(({ partition, members: offsets }) =>
      offsets.map((offset) => `${partition}/${offset}`),
    );
    const expected = of.map(({ partition, offset }) => `${partition}/${offset}`);
    assertSame(`the request ${id} has exactly its events`, found, expected);
  }
  return { events: events.length, requests: byRequest.size, documents: documents.length, duplicates };
}

/** Elasticsearch is asked itself; what the embedded store holds is `counted`. */
async function searchedCount(services: Queried, counted: number): Promise<number> {
  return services.env['ELASTICSEARCH_URL'] === undefined ? counted : elasticsearchCount(services);
}

/** Proves that the viewer got each of the lines that its filter matches once, at the place where the stores have it, and no other. */
export async function assertSeen(
  viewer: Viewer,
  { events }: Logged,
  lines: readonly Line[],
  matches: (line: Line) => boolean,
): Promise<void> {
  const expected = lines.filter(matches).map(contentOf);
  assert.ok(expected.length > 0, `${viewer.filter} matches some of the traffic`);
  await eventually(
    `${expected.length} events seen`,
    async () => viewer.events.length >= expected.length,
    30_000,
  ).catch(() => {});
  assertSame(
    'the viewer saw what its filter matches',
    viewer.events.map((event) => contentOf(event as unknown as Line)),
    expected,
  );
  const places = new Set(events.map(({ place }) => place));
  const seen = new Set(viewer.events.map(({ id, partition, offset }) => `${id} ${partition}/${offset}`));
  assert.equal(seen.size, expected.length, 'no event was seen twice');
  for (const place of seen) assert.ok(places.has(place), `${place} was seen, but the log has it elsewhere`);
  assert.deepEqual(viewer.complaints, []);
}

/**
 * Waits until everything is stored; then proves that the log, every store and the viewer hold exactly these lines. `matches`: the viewer's
 * filter.
 */
export async function assertDelivered(
  services: Services,
  viewer: Viewer,
  lines: readonly Line[],
  matches: (line: Line) => boolean = () => true,
): Promise<Summary> {
  await untilStored(services, lines.length);
  const logged = await readLog(services);
  const summary = await assertExact(services, logged, lines);
  await assertSeen(viewer, logged, lines, matches);
  return summary;
}

/** Ends the first instance of each service by SIGTERM, and proves that each ended well. */
export async function assertDrained(services: Services): Promise<void> {
  for (const ended of await services.drain()) assert.match(ended, /: exit code 0$/);
}

/** Compares two multisets; a difference is told by a few examples. */
function assertSame(what: string, found: readonly Place[], expected: readonly Place[]): void {
  const counts = new Map<string, number>();
  for (const item of expected) counts.set(item, (counts.get(item) ?? 0) + 1);
  for (const item of found) counts.set(item, (counts.get(item) ?? 0) - 1);
  const missing = [...counts].filter(([, count]) => count > 0);
  const surplus = [...counts].filter(([, count]) => count < 0);
  if (missing.length + surplus.length === 0) return;
  const examples = (of: [string, number][]): string[] => of.slice(0, 5).map(([item]) => item.slice(0, 200));
  assert.fail(
    `${what}: ${found.length} for ${expected.length}; ${missing.length} missing, ${surplus.length} too many\n` +
      JSON.stringify({ missing: examples(missing), surplus: examples(surplus) }, null, 1),
  );
}
