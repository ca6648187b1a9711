import { placedEvent, temporaryFolder } from '@logloom/testing';
import { topics, type PlacedEvent } from '@logloom/schemas';
import type { DamagedFile } from '@logloom/sqlite';
import assert from 'node:assert/strict';
import { readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { openColumnStore, type StoreHandle } from './open-column-store.ts';
import { StoreUnavailable } from './store-unavailable.ts';

function events(from: number, to: number): PlacedEvent[] {
  return Array.from({ length: to - from }, (_, i) =>
    placedEvent(from + i, { id: `e1-0-${from + i}`, timestamp: from + i, message: `message ${Math.sin(i)}` }),
  );
}

async function count(handle: StoreHandle): Promise<number> {
  return handle.run((store) =>
    store.read('search', async (read) =>
      Number((await read.rows(`SELECT count(message) FROM ${read.events()}`))[0]![0]),
    ),
  );
}

async function filled(handle: StoreHandle): Promise<number[]> {
  return handle.run(async (store) =>
    store
      .marks('archive')
      .filled('e')
      .map(({ offset }) => offset),
  );
}

async function fill(handle: StoreHandle): Promise<void> {
  await handle.run((store) => store.putEvents('search', events(0, 5000)));
  await handle.run((store) => store.putEvents('search', events(5000, 10_000)));
  const move = { topic: topics.events, partition: 0, from: 0, offset: 10_000 };
  await handle.run(async (store) => store.marks('archive').move('e', [move]));
}

test('a file that cannot be read is moved away, and its events can be stored again', async () => {
  using folder = temporaryFolder('column-store');
  const damaged: DamagedFile[] = [];
  const handle = openColumnStore(folder.path, 'search', { onDamaged: (file) => damaged.push(file) });
  const reader = openColumnStore(folder.path, 'archive', { readOnly: true });
  await fill(handle);
  const slices = readdirSync(folder.path).filter((name) => name.endsWith('.parquet'));
  assert.equal(slices.length, 2);
  const second = slices.toSorted(
    (a, b) => Number(/-(\d+)\.parquet/.exec(a)![1]) - Number(/-(\d+)\.parquet/.exec(b)![1]),
  )[1]!;
  writeFileSync(join(folder.path, second), 'no longer a file of columns '.repeat(1000));
  await handle.run((store) => store.engine.close());
  await assert.rejects(count(handle), StoreUnavailable);
  assert.deepEqual(
    damaged.map(({ file }) => basename(file)),
    [second],
  );
  assert.equal(await count(handle), 5000);
  assert.deepEqual(await filled(handle), [5000]);
  await handle.run((store) => store.putEvents('archive', events(0, 10_001)));
  assert.equal(await count(reader), 10_001);
  await reader.close();
  await handle.close();
});

test('a missing file is noticed, and its events can be stored again', async () => {
  using folder = temporaryFolder('column-store');
  const handle = openColumnStore(folder.path, 'search');
  await fill(handle);
  await handle.close();
  for (const name of readdirSync(folder.path)) if (name.endsWith('.parquet')) rmSync(join(folder.path, name));
  const again = openColumnStore(folder.path, 'search');
  await assert.rejects(count(again), StoreUnavailable);
  assert.equal(await count(again), 0);
  assert.deepEqual(await filled(again), [0]);
  await again.close();
});

test('a damaged catalog is moved away, and made anew from the files', async () => {
  using folder = temporaryFolder('column-store');
  const handle = openColumnStore(folder.path, 'search');
  await fill(handle);
  await handle.run((store) => store.putEvents('search', events(10_000, 10_007)));
  await handle.close();
  truncateSync(join(folder.path, 'catalog.db'), 0);
  writeFileSync(join(folder.path, 'catalog.db'), 'no longer a database '.repeat(1000));
  const unreadable = 'events-19700101T000000Z-19700101T000001Z-999.parquet';
  writeFileSync(join(folder.path, unreadable), 'no longer Parquet');
  const damaged: DamagedFile[] = [];
  const again = openColumnStore(folder.path, 'search', { onDamaged: (file) => damaged.push(file) });
  assert.equal(await count(again), 10_000);
  assert.deepEqual(
    damaged.map(({ file }) => basename(file)),
    ['catalog.db'],
  );
  assert.deepEqual(await filled(again), []);
  await again.run((store) => store.putEvents('search', events(0, 10_007)));
  assert.equal(await count(again), 10_007);
  await again.close();
  const next = openColumnStore(folder.path, 'search');
  assert.equal(await count(next), 10_007);
  await next.close();
  const aside = readdirSync(folder.path).filter((name) => name.startsWith(`${unreadable}.corrupt-`));
  assert.equal(aside.length, 1, 'a file that cannot be read stays');
});

for (const [what, lose] of [
  ['deleted', (path: string) => rmSync(path)],
  ['emptied', (path: string) => truncateSync(path, 0)],
] as const)
  test(`a catalog that was ${what} is made anew from the files, also when a reader comes first`, async () => {
    using folder = temporaryFolder('column-store');
    const handle = openColumnStore(folder.path, 'search');
    await fill(handle);
    await handle.close();
    lose(join(folder.path, 'catalog.db'));
    const reader = openColumnStore(folder.path, 'search', { readOnly: true });
    assert.equal(await count(reader), 0);
    const again = openColumnStore(folder.path, 'search');
    assert.equal(await count(again), 10_000);
    await again.run((store) => store.putEvents('search', events(0, 10_007)));
    assert.equal(await count(again), 10_007);
    await reader.close();
    await again.close();
  });
