import { parseFilter } from '@logloom/filter';
import { correlationDefaults, placeCorrelation, topics, type Correlation } from '@logloom/schemas';
import { openEmbeddedSearchStore, type SearchStore } from '@logloom/search-store';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { logEvent, openRig } from '../testing/jobs-rig.ts';
import { rebuildSearch } from './rebuild-search.ts';

const never = new AbortController().signal;
const noProgress = async (): Promise<void> => {};

async function idsIn(store: SearchStore): Promise<string[]> {
  const everything = parseFilter('');
  assert.ok(everything.ok);
  const { events } = await store.search({ filter: everything.filter, limit: 10_000, order: 'asc' });
  return events.map(({ id }) => id);
}

function document(n: number): Correlation {
  return {
    id: `0-${n}`,
    correlationId: `c-${n}`,
    kind: 'traceId',
    revision: 1,
    closeReason: 'idle',
    firstAt: 0,
    lastAt: n,
    services: [],
    levels: {},
    rules: [],
    severity: null,
    partition: 0,
    firstOffset: n,
    closeOffset: n,
    closeSequence: 0,
    firstClosedAt: 0,
    memberDeltas: [0],
    ...correlationDefaults,
  };
}

test('the new index is that of the log; a reader on another connection has answers all the time', async () => {
  await using rig = await openRig();
  const events = [
    ...(await rig.append(Array.from({ length: 1500 }, (_, n) => logEvent(n)))),
    ...(await rig.append(
      Array.from({ length: 500 }, (_, n) => logEvent(1500 + n)),
      1,
    )),
  ];
  const stray = logEvent(9999);
  await rig.search.index([...events, { ...stray, id: 'stray', partition: 0, offset: 9999 }]);
  await using reader = await readerOf(rig.folder);
  assert.equal((await idsIn(reader.store)).length, 2001);

  const rebuilding = rebuildSearch(rig, never, noProgress);
  let rebuilt = false;
  void rebuilding.finally(() => (rebuilt = true));
  // What the indexer writes meanwhile is in the log as well.
  const [late] = await rig.append([logEvent(2000)]);
  const written = rig.exchangeLock.write(() => rig.search.index([late!]));
  const counts = new Set<number>();
  do {
    counts.add((await idsIn(reader.store)).length);
    await new Promise((resolve) => setImmediate(resolve));
  } while (!rebuilt);
  assert.deepEqual(await rebuilding, { events: 2001, correlations: 0 });
  await written;
  assert.ok(
    [...counts].every((count) => count === 2001 || count === 2002),
    [...counts].join(),
  );
  const expected = [...events, late!].map(({ id }) => id);
  assert.deepEqual(await idsIn(rig.search), expected);
  assert.deepEqual(await idsIn(reader.store), expected);
  await rebuildSearch(rig, never, noProgress);
  assert.deepEqual(await idsIn(reader.store), expected);
});

test('what the log no longer has comes from the archive and from the old index', async () => {
  await using rig = await openRig();
  const events = await rig.append(Array.from({ length: 10 }, (_, n) => logEvent(n)));
  await rig.archive.put(events);
  const epoch = await rig.log.epochOf(topics.events);
  const documents = [0, 1, 2].map((n) => placeCorrelation(document(n), epoch));
  for (const one of documents)
    await rig.log.append(topics.correlations, [
      { partition: 0, key: null, value: rig.serde.encode('Correlation', one) },
    ]);
  await rig.search.indexCorrelations(documents);
  for (const topic of [topics.events, topics.correlations]) await rig.log.trim(topic, Date.now() + 10_000);
  assert.ok((await rig.log.startOffsets(topics.events))[0]! > 0);
  assert.deepEqual(await rebuildSearch(rig, never, noProgress), {
    events: 10,
    correlations: 3,
  });
  assert.deepEqual(
    await idsIn(rig.search),
    events.map(({ id }) => id),
  );
});

test('a rebuild that is interrupted leaves the index as it was, and its content is removed', async () => {
  await using rig = await openRig();
  await rig.search.index(await rig.append([logEvent(1), logEvent(2)]));
  await assert.rejects(rebuildSearch(rig, AbortSignal.abort(), noProgress), { name: 'AbortError' });
  assert.equal((await idsIn(rig.search)).length, 2);
  // A crash leaves the content; the next rebuild removes it.
  const broken = await rig.search.rebuild();
  await broken.index(await rig.append([logEvent(3)]));
  assert.equal((await idsIn(rig.search)).length, 2);
  const rebuild = await rig.search.rebuild();
  await rebuild.seal();
  await rebuild.commit();
  await broken.discard();
  assert.deepEqual(await idsIn(rig.search), []);
});

async function readerOf(folder: string) {
  const store = openEmbeddedSearchStore(join(folder, 'stores'), { readOnly: true });
  return { store, [Symbol.asyncDispose]: () => store.close() };
}
