import type { Correlation, PlacedEvent } from '@logloom/schemas';
import { correlationDocument, placedEvent, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ColumnStore } from './column-store.ts';
import type { ViewName } from './views.ts';

const day = 86_400_000_000;

function event(offset: number, rest: Partial<PlacedEvent> = {}): PlacedEvent {
  return placedEvent(offset, { id: `e1-0-${offset}`, timestamp: 1000 * offset, ...rest });
}

function events(from: number, to: number, rest: Partial<PlacedEvent> = {}): PlacedEvent[] {
  return Array.from({ length: to - from }, (_, i) => event(from + i, rest));
}

async function offsets(store: ColumnStore, view: ViewName = 'search'): Promise<number[]> {
  return store.read(view, async (read) =>
    (await read.rows(`SELECT "offset" FROM ${read.events()} ORDER BY "offset"`)).map(([offset]) =>
      Number(offset),
    ),
  );
}

async function revisions(store: ColumnStore, view: ViewName = 'search'): Promise<string[]> {
  return store.read(view, async (read) =>
    (await read.rows(`SELECT id, revision FROM ${read.requests()} ORDER BY id`)).map((row) => row.join('/')),
  );
}

function withStore(run: (store: ColumnStore, folder: string) => Promise<void>): () => Promise<void> {
  return async () => {
    using folder = temporaryFolder('column-store');
    const store = new ColumnStore(folder.path);
    store.use('search');
    store.use('archive');
    try {
      await run(store, folder.path);
    } finally {
      await store.close();
    }
  };
}

test(
  'few events and many are stored once, whichever view brings them, and found after a restart',
  withStore(async (store, folder) => {
    await store.putEvents('search', events(0, 3));
    await store.putEvents('archive', events(0, 3));
    await store.putEvents('search', events(2, 5002));
    await store.putEvents('archive', events(0, 5002));
    const all = Array.from({ length: 5002 }, (_, i) => i);
    assert.deepEqual(await offsets(store), all);
    assert.deepEqual(await offsets(store, 'archive'), all);
    await store.close();
    assert.equal(readdirSync(folder).filter((name) => name.endsWith('.parquet')).length, 1);
    const again = new ColumnStore(folder);
    await again.putEvents('search', events(0, 5010));
    assert.deepEqual(await offsets(again), [...all, 5002, 5003, 5004, 5005, 5006, 5007, 5008, 5009]);
    assert.deepEqual(again.counts('archive'), { events: 5010, correlations: 0 });
    await again.close();
  }),
);

test(
  'another reader sees what is written, sealed and merged',
  withStore(async (store, folder) => {
    const reader = new ColumnStore(folder, { readOnly: true });
    for (let i = 0; i < 20; i++) {
      await store.putEvents('search', events(i * 1100, (i + 1) * 1100));
      const found = await offsets(reader, 'archive');
      assert.equal(found.length, (i + 1) * 1100);
      assert.equal(new Set(found).size, found.length);
    }
    await store.settle();
    assert.equal((await offsets(reader)).length, 22_000);
    assert.deepEqual(await reader.missingEvents('search', events(21_990, 22_003)), events(22_000, 22_003));
    await assert.rejects(reader.putEvents('search', events(0, 1)), TypeError);
    await reader.close();
  }),
);

test(
  'small slices of a day become one, and days stay apart',
  withStore(async (store) => {
    for (let i = 0; i < 8; i++) {
      const at = (offset: number): Partial<PlacedEvent> => ({ timestamp: (offset % 2) * day + offset });
      await store.putEvents(
        'search',
        Array.from({ length: 5000 }, (_, n) => event(i * 5000 + n, at(n))),
      );
    }
    await store.settle();
    const slices = store.catalog.slices();
    assert.deepEqual(
      slices.map(({ rows }) => rows),
      [20_000, 20_000],
    );
    assert.equal((await offsets(store)).length, 40_000);
    await store.putEvents('archive', events(0, 40_000));
    assert.equal(store.counts('archive').events, 40_000);
  }),
);

test(
  'the names of folders are no values of columns',
  withStore(async (_store, folder) => {
    const store = new ColumnStore(join(folder, 'service=other'));
    for (let i = 0; i < 8; i++) await store.putEvents('search', events(i * 3000, (i + 1) * 3000));
    await store.settle();
    assert.equal(store.catalog.slices().length, 1, 'they were merged');
    const services = await store.read('search', (read) =>
      read.rows(`SELECT DISTINCT service FROM ${read.events()}`),
    );
    assert.deepEqual(services, [[event(0).service]]);
    await store.close();
  }),
);

test(
  'retention removes from one view, and files once no view needs them',
  withStore(async (store) => {
    await store.putEvents('search', [...events(0, 5000), ...events(5000, 10_000, { timestamp: day })]);
    await store.putEvents('search', events(10_000, 10_003, { timestamp: 5 }));
    assert.equal(await store.removeBefore('search', 4_000_000), 4003);
    assert.equal(store.counts('search').events, 6000);
    assert.deepEqual((await offsets(store)).slice(0, 2), [4000, 4001]);
    assert.equal((await offsets(store, 'archive')).length, 10_003);
    assert.equal(await store.removeBefore('search', day), 1000);
    assert.equal(await store.removeBefore('archive', day), 5003);
    assert.deepEqual(
      store.catalog.slices().map(({ rows }) => rows),
      [5000],
    );
    await store.putEvents('search', [event(20_000, { timestamp: 5 })]);
    assert.equal(store.counts('search').events, 5000);
    assert.equal(store.marks('search').removedBefore(), day);
  }),
);

test(
  'documents are kept at their highest revision, also those in files',
  withStore(async (store, folder) => {
    const reader = new ColumnStore(folder, { readOnly: true });
    const document = (n: number, revision: number, rest: Partial<Correlation> = {}): Correlation =>
      correlationDocument(`e1-0-${n}`, { revision, firstOffset: n, closeOffset: n, ...rest });
    await store.putDocuments('search', [document(1, 1), document(2, 2), document(3, 1)]);
    assert.deepEqual(await revisions(reader), ['e1-0-1/1', 'e1-0-2/2', 'e1-0-3/1']);
    await store.putDocuments('archive', [document(1, 2), document(2, 1), document(3, 1)]);
    assert.deepEqual(await revisions(reader), ['e1-0-1/2', 'e1-0-2/2', 'e1-0-3/1']);
    await store.settle();
    assert.deepEqual(await revisions(reader), ['e1-0-1/2', 'e1-0-2/2', 'e1-0-3/1']);
    await store.putDocuments('search', [document(1, 3), document(2, 2), document(4, 1, { closeOffset: 9 })]);
    await store.putDocuments('search', [document(3, 2, { joinedInto: 'e1-0-1' })]);
    assert.deepEqual(await revisions(reader), ['e1-0-1/3', 'e1-0-2/2', 'e1-0-4/1']);
    assert.deepEqual(await revisions(store, 'archive'), ['e1-0-1/3', 'e1-0-2/2', 'e1-0-3/2', 'e1-0-4/1']);
    assert.equal(store.counts('search').correlations, 3);
    assert.equal(store.counts('archive').correlations, 4);
    for (let n = 5; n < 13; n++) {
      await store.putDocuments('search', [document(n, 1)]);
      await store.settle();
    }
    assert.equal(store.counts('search').correlations, 11);
    assert.equal((await revisions(reader)).length, 11);
    assert.deepEqual(
      (await store.missingDocuments('search', [document(1, 3), document(1, 4), document(99, 1)])).map(
        ({ id, revision }) => `${id}/${revision}`,
      ),
      ['e1-0-1/4', 'e1-0-99/1'],
    );
    await reader.close();
  }),
);

test(
  'rebuilt content takes the place of the searched one, and the archive keeps what it does not have',
  withStore(async (store, folder) => {
    const document = (n: number, revision: number): Correlation =>
      correlationDocument(`e1-0-${n}`, { revision, firstOffset: n, closeOffset: n });
    await store.putEvents('search', events(0, 6000));
    await store.putDocuments('search', [document(1, 1), document(2, 1)]);
    const given = await store.rebuild();
    await given.putEvents(events(0, 10));
    const rebuild = await store.rebuild();
    await assert.rejects(given.commit());
    await rebuild.putEvents(events(5000, 6001));
    await rebuild.putEvents(events(5990, 6002));
    await rebuild.putDocuments([document(2, 1), document(3, 1)]);
    await store.putEvents('archive', events(6000, 6001));
    assert.equal((await offsets(store)).length, 6001);
    await rebuild.commit();
    await rebuild.discard();
    const check = async (of: ColumnStore): Promise<void> => {
      assert.deepEqual(
        await offsets(of),
        Array.from({ length: 1002 }, (_, i) => 5000 + i),
      );
      assert.deepEqual(
        await offsets(of, 'archive'),
        Array.from({ length: 6002 }, (_, i) => i),
      );
      assert.deepEqual(of.counts('search'), { events: 1002, correlations: 2 });
      assert.deepEqual(of.counts('archive'), { events: 6002, correlations: 3 });
      assert.deepEqual(await revisions(of), ['e1-0-2/1', 'e1-0-3/1']);
      assert.deepEqual(await revisions(of, 'archive'), ['e1-0-1/1', 'e1-0-2/1', 'e1-0-3/1']);
    };
    await check(store);
    await store.putEvents('archive', events(0, 6002));
    await check(store);
    await store.close();
    const again = new ColumnStore(folder);
    await check(again);
    await again.putEvents('search', [event(4999)]);
    assert.equal(again.counts('search').events, 1003);
    assert.equal(again.counts('archive').events, 6002);
    await again.close();
  }),
);

test('few but large events go into files that can be written within the memory', async () => {
  using folder = temporaryFolder('column-store');
  const store = new ColumnStore(folder.path, { memoryBytes: 128 * 2 ** 20 });
  const message = 'x'.repeat(500_000);
  await store.putEvents('search', events(0, 300, { message }));
  assert.equal(store.catalog.all('SELECT * FROM recent').length, 0);
  assert.ok(store.catalog.slices().length > 1);
  const [row] = await store.read('search', (read) =>
    read.rows(`SELECT count(*), sum(length(message)) FROM ${read.events()}`),
  );
  assert.deepEqual(row!.map(Number), [300, 300 * message.length]);
  await store.close();
});
