import { createSqliteJobRecords } from '@logloom/job-queue';
import { parseFilter } from '@logloom/filter';
import { loadtestKind, type Correlation, type PlacedEvent } from '@logloom/schemas';
import { correlationDocument, placedEvent, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseSettings } from '../settings.ts';
import { LoadtestReaders } from './loadtest-readers.ts';
import { LoadtestStores } from './loadtest-stores.ts';
import { loadtestFolder, openLoadtestStores } from './open-loadtest-stores.ts';
import { rmSync } from 'node:fs';

const folder = temporaryFolder('loadtest-stores').path;
const settings = parseSettings({ LOGLOOM_DATA: folder });
const records = createSqliteJobRecords(join(folder, 'jobs'));
after(() => records.close());

const events = (...offsets: number[]): PlacedEvent[] =>
  offsets.map((offset) =>
    placedEvent(offset, {
      timestamp: offset,
      correlationId: 'r1',
      correlationKind: offset % 2 === 0 ? loadtestKind : 'correlationId',
    }),
  );
const documents = (...lastAts: number[]): Correlation[] =>
  lastAts.map((lastAt) => ({
    ...correlationDocument(`log-0-${lastAt}`, { firstOffset: lastAt }),
    kind: lastAt % 2 === 0 ? loadtestKind : 'correlationId',
    firstAt: lastAt,
    lastAt,
  }));
const all = parseFilter('');
assert.ok(all.ok);

function open(retainedFrom = -Infinity): LoadtestStores {
  return new LoadtestStores({
    open: () => openLoadtestStores(settings),
    records,
    retainedFrom: () => retainedFrom,
    removeFiles: () => rmSync(loadtestFolder(settings), { recursive: true, force: true }),
    onFailure: (error) => assert.fail(error as Error),
  });
}

async function write(stores: LoadtestStores, ...at: number[]): Promise<void> {
  for (const { putEvents, putCorrelations } of stores.targets) {
    await putEvents(events(...at));
    await putCorrelations(documents(...at));
  }
}

test("load tests' events have stores of their own until they expire, when their files go", async () => {
  const readers = new LoadtestReaders(settings, {});
  const read = async (): Promise<[number[], number, number] | undefined> => {
    const stores = await readers.open();
    if (stores === undefined) return undefined;
    const page = await stores.search.search({ filter: all.filter, limit: 10, order: 'asc' });
    const members = await stores.archive.byCorrelation('r1');
    return [
      page.events.map(({ offset }) => offset),
      members.length,
      (await stores.search.counts()).correlations,
    ];
  };
  const stores = open(4);
  // Nothing is opened for events of users, and a query makes no files.
  await write(stores, 1, 3, 5);
  assert.equal(await read(), undefined);
  assert.equal(await stores.removeBefore(100), 0);
  assert.equal(existsSync(loadtestFolder(settings)), false);

  await write(stores, 2, 4, 5, 6, 7, 8);
  assert.deepEqual(await read(), [[4, 6, 8], 3, 3], 'what has expired already is not stored');
  assert.equal(await stores.removeBefore(7), 2);
  assert.deepEqual(await read(), [[8], 1, 1]);
  await stores.close();

  // The next process has written nothing, and yet removes what is there.
  const next = open();
  assert.equal(await next.removeBefore(100), 1);
  assert.equal(existsSync(loadtestFolder(settings)), false);
  assert.equal(await read(), undefined);
  await write(next, 20);
  assert.deepEqual(await read(), [[20], 1, 1], 'a reader of the files that are gone finds the new ones');
  await write(next, 22);
  assert.deepEqual(await read(), [[20, 22], 2, 2]);
  await next.close();
  await readers.close();
});

test("what its stores refuse for good does not hold up users' events", async () => {
  let now = 0;
  let opened = 0;
  const failures: unknown[] = [];
  const refusal = Object.assign(new Error('forbidden'), { retriable: false });
  const stores = new LoadtestStores({
    open: async () => {
      opened++;
      throw refusal;
    },
    records,
    retainedFrom: () => -Infinity,
    onFailure: (error) => failures.push(error),
    passedMs: () => now,
  });
  const [target] = stores.targets;
  await target!.putEvents(events(2));
  await target!.putEvents(events(4));
  assert.deepEqual([opened, failures], [1, [refusal]]);
  now = 20_000;
  await target!.putEvents(events(6));
  assert.equal(opened, 2);
  Object.assign(refusal, { retriable: true });
  now = 40_000;
  await assert.rejects(async () => target!.putEvents(events(8)), refusal);
  await stores.close();
});
