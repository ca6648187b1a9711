import { openEmbeddedArchive } from '@logloom/archive';
import { connectLog, type LogConnection } from '@logloom/runtime';
import { topics } from '@logloom/schemas';
import { openEmbeddedSearchStore } from '@logloom/search-store';
import { parseSettings } from '../settings.ts';
import { openDatabase } from '@logloom/sqlite';
import { createTelemetry } from '@logloom/telemetry';
import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ExchangeLock } from '../jobs/exchange-lock.ts';
import { verifyViews, type VerifyJob } from '../jobs/verify-views.ts';
import { runIndexer, storesFolder } from '../run-indexer.ts';
import { createMetrics } from '../telemetry.ts';
import { logEvent } from '../testing/jobs-rig.ts';

/** Fewer than what the store writes straight into a file: all stay recent, where lose() takes them away. */
const count = 2000;

/** A data folder with events in the log, and an indexer that can be run on it until it has read all. */
async function openRig() {
  const folder = temporaryFolder('refill').path;
  const settings = parseSettings({ LOGLOOM_DATA: folder, LOG_PARTITIONS: '2' });
  const stores = storesFolder(folder);
  const connection = await connectLog(settings);
  await append(connection, 0);
  return {
    connection,
    stores,
    folder,
    catalogFile: join(stores, 'catalog.db'),
    /** Runs the indexer until everything is committed, and `meanwhile` then; returns its metrics. */
    index: async (meanwhile?: () => Promise<void>): Promise<string> => {
      const telemetry = createTelemetry('indexer', 'silent');
      const stop = new AbortController();
      const ready = Promise.withResolvers<void>();
      const done = runIndexer({ settings, telemetry, signal: stop.signal, onReady: ready.resolve });
      done.catch(ready.reject);
      await ready.promise;
      // A refill starts by taking the commit back.
      await sleep(300);
      await until(connection);
      await meanwhile?.();
      stop.abort();
      await done;
      return telemetry.registry.metrics();
    },
    counts: async () => {
      const search = openEmbeddedSearchStore(stores, { readOnly: true });
      const archive = openEmbeddedArchive(stores, { readOnly: true });
      const result = [(await search.counts()).events, (await archive.counts()).events];
      await Promise.all([search.close(), archive.close()]);
      return result;
    },
    retain: async (micros: number) => {
      const search = openEmbeddedSearchStore(stores);
      await search.deleteBefore(micros);
      await search.close();
    },
    [Symbol.asyncDispose]: async () => {
      await connection[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

async function append({ log, serde }: LogConnection, from: number): Promise<void> {
  await log.append(
    topics.events,
    Array.from({ length: count }, (_, i) => ({
      partition: i % 2,
      key: null,
      value: serde.encode('LogEvent', logEvent(from + i)),
    })),
  );
}

async function until({ log }: LogConnection): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(20)) {
    const [commits, ends] = [
      await log.committed('indexer', topics.events),
      await log.endOffsets(topics.events),
    ];
    if (ends.every((offset, partition) => commits[partition]?.offset === offset)) return;
  }
  throw new Error('the indexer did not get there in 60 s');
}

const lost = /logloom_indexer_lost_records_total\{view="(\w+)"[^}]*\} ([1-9]\d*)/g;

test('a search store that retention has emptied stays empty, and an archive that is gone is filled again', async () => {
  await using rig = await openRig();
  await rig.index();
  assert.deepEqual(await rig.counts(), [count, count]);
  await rig.retain(Number.MAX_SAFE_INTEGER);
  for (let start = 0; start < 2; start++) {
    assert.doesNotMatch(await rig.index(), lost);
    assert.deepEqual(await rig.counts(), [0, count]);
  }
  change(
    rig.catalogFile,
    "UPDATE recent SET views = 1; UPDATE slices SET views = 1; DELETE FROM filled WHERE view = 'archive'",
  );
  const metrics = await rig.index();
  assert.deepEqual(
    [...metrics.matchAll(lost)].map((match) => match.slice(1)),
    [['archive', String(count)]],
  );
  assert.deepEqual(await rig.counts(), [0, count]);
  assert.doesNotMatch(await rig.index(), lost);
});

test('stores that were restored from an old backup are given what came after it', async () => {
  await using rig = await openRig();
  await rig.index();
  const backup = `${rig.stores}.backup`;
  cpSync(rig.stores, backup, { recursive: true });
  await append(rig.connection, count);
  await rig.index();
  assert.deepEqual(await rig.counts(), [2 * count, 2 * count]);
  rmSync(rig.stores, { recursive: true });
  cpSync(backup, rig.stores, { recursive: true });
  assert.match(await rig.index(), /logloom_indexer_lost_records_total\{view="archive"[^}]*\} [1-9]/);
  assert.deepEqual(await rig.counts(), [2 * count, 2 * count]);
});

test('stores that lose their data while the indexer runs are filled again without a restart', async () => {
  await using rig = await openRig();
  const metrics = await rig.index(async () => {
    // As a server that comes back with an empty disk: the connection stays.
    change(rig.catalogFile, loseAll);
    await append(rig.connection, count);
    for (const end = Date.now() + 60_000; (await rig.counts())[1] !== 2 * count; await sleep(50))
      assert.ok(Date.now() < end, 'the stores were not filled again in 60 s');
  });
  assert.match(metrics, /logloom_indexer_lost_records_total\{view="archive"[^}]*\} [1-9]/);
  assert.deepEqual(await rig.counts(), [2 * count, 2 * count]);
});

test('damaged files of the stores and the queue are moved, and filled again; the start continues', async () => {
  await using rig = await openRig();
  await rig.index();
  // Not a database at all; one whose first page is overwritten behind its header.
  writeFileSync(rig.catalogFile, 'not a database, '.repeat(1000));
  const jobs = join(rig.folder, 'jobs', 'jobs.db');
  writeFileSync(jobs, readFileSync(jobs).fill(0xff, 100, 2000));
  const metrics = await rig.index(async () => {
    for (const end = Date.now() + 60_000; String(await rig.counts()) !== `${count},${count}`; await sleep(50))
      assert.ok(Date.now() < end, 'the stores were not filled again in 60 s');
  });
  for (const file of ['catalog.db', 'jobs.db'])
    assert.match(metrics, new RegExp(`damaged_files_total\\{file="${file}"`));
  const kept = [...readdirSync(rig.stores), ...readdirSync(join(rig.folder, 'jobs'))];
  assert.deepEqual(
    kept
      .filter((name) => /\.db\.corrupt-\d+$/.test(name))
      .map((name) => name.split('.')[0])
      .sort(),
    ['catalog', 'jobs'],
  );
  assert.doesNotMatch(await rig.index(), /lost_records_total\{[^}]*\} [1-9]/);
});

/** Verifies with stores of its own. */
async function verify(
  { connection, stores }: Awaited<ReturnType<typeof openRig>>,
  job: Partial<VerifyJob> = {},
) {
  const search = openEmbeddedSearchStore(stores);
  const archive = openEmbeddedArchive(stores);
  const telemetry = createTelemetry('indexer', 'silent');
  const settings = parseSettings({});
  const result = await verifyViews(
    {
      log: connection.log,
      serde: connection.serde,
      search,
      archive,
      settings,
      nowMs: Date.now,
      exchangeLock: new ExchangeLock(),
      logger: telemetry.logger,
      metrics: createMetrics(telemetry),
    },
    { refill: false, ...job },
    new AbortController().signal,
    async () => {},
  );
  await Promise.all([search.close(), archive.close()]);
  return result;
}

/** SQL: everything, as on an empty disk. */
const loseAll = `
  DELETE FROM recent; DELETE FROM slices; DELETE FROM documents; DELETE FROM filled;
  UPDATE state SET value = (SELECT value + 1 FROM state WHERE name = 'seq')`;

/** Takes recent events away from one view, in a store that nobody has open. */
function lose(
  path: string,
  view: 'search' | 'archive',
  isLost: (event: { partition: number; offset: number }) => boolean,
): void {
  const db = openDatabase(path);
  const batches = db.prepare('SELECT * FROM recent').all() as {
    seq: number;
    views: number;
    from_micros: number;
    events: string;
  }[];
  let lost = 0;
  for (const batch of batches) {
    const events = JSON.parse(batch.events) as { partition: number; offset: number }[];
    const parts = [events.filter((event) => !isLost(event)), events.filter(isLost)];
    db.prepare('DELETE FROM recent WHERE seq = ?').run(batch.seq);
    for (const [n, part] of parts.entries()) {
      if (part.length === 0) continue;
      lost += n * part.length;
      const { value } = db
        .prepare("UPDATE state SET value = value + 1 WHERE name = 'seq' RETURNING value")
        .get() as { value: number };
      const text = JSON.stringify(part);
      const views = n === 0 ? batch.views : batch.views & ~(view === 'search' ? 1 : 2);
      db.prepare('INSERT INTO recent VALUES (?, ?, ?, ?, ?, ?)').run(
        value,
        views,
        part.length,
        text.length,
        batch.from_micros,
        text,
      );
    }
  }
  assert.ok(lost > 0);
  db.close();
}

function change(path: string, sql: string): void {
  const db = openDatabase(path);
  db.exec(sql);
  db.close();
}

test('verify finds what was lost from the middle of a view, with its offsets, and refills it; a start does so too', async () => {
  await using rig = await openRig();
  // A sender's repetition is in no view, and is not missing.
  const { log, serde } = rig.connection;
  await log.append(topics.events, [
    { partition: 0, key: null, value: serde.encode('LogEvent', logEvent(0)) },
  ]);
  await rig.index();
  assert.deepEqual(await rig.counts(), [count, count]);
  const held = await verify(rig);
  assert.equal(held.complete, true);
  assert.deepEqual(
    held.views.map(({ view, kind, expected, missing }) => [view, kind, expected, missing]),
    [
      ['search', 'events', count, 0],
      ['search', 'correlations', 0, 0],
      ['archive', 'events', count, 0],
      ['archive', 'correlations', 0, 0],
    ],
  );
  lose(
    rig.catalogFile,
    'archive',
    (event) => event.partition === 1 && event.offset >= 700 && event.offset < 900,
  );
  const { complete, views } = await verify(rig);
  assert.equal(complete, false);
  assert.deepEqual(
    views.filter(({ missing }) => missing > 0),
    [
      {
        view: 'archive',
        kind: 'events',
        expected: count,
        missing: 200,
        refilled: 0,
        ranges: [{ partition: 1, from: 700, to: 900, missing: 200 }],
      },
    ],
  );
  assert.equal((await verify(rig, { view: 'search' })).complete, true);
  const refilled = await verify(rig, { refill: true });
  assert.deepEqual([refilled.complete, refilled.views[2]!.refilled], [true, 200]);
  assert.deepEqual((await verify(rig)).views[2]!.missing, 0);

  lose(
    rig.catalogFile,
    'archive',
    (event) => event.partition === 1 && event.offset >= 700 && event.offset < 900,
  );
  lose(rig.catalogFile, 'search', (event) => event.partition === 0 && event.offset >= 100);
  await rig.index(async () => {
    for (const end = Date.now() + 60_000; !(await verify(rig)).complete; await sleep(100))
      assert.ok(Date.now() < end, 'the start did not refill in 60 s');
  });
  await rig.retain(logEvent(1000).timestamp);
  const { views: retained } = await verify(rig);
  assert.deepEqual([retained[0]!.expected, retained[0]!.missing], [count - 1000, 0]);
});

test('verify finds damaged records of every topic of the log', async () => {
  await using rig = await openRig();
  await rig.index();
  const file = join(rig.folder, 'log', `${topics.events}.db`);
  change(
    file,
    'UPDATE p1 SET records = zeroblob(length(records)) WHERE "offset" = (SELECT max("offset") FROM p1)',
  );
  const { complete, damaged } = await verify(rig);
  assert.equal(complete, false);
  assert.deepEqual(
    damaged.map(({ topic, partition, to }) => [topic, partition, to]),
    [[topics.events, 1, count / 2]],
  );
});
