import { correlationDocument, eventually, placedEvent, temporaryFolder } from '@logloom/testing';
import { topics, type Correlation, type PlacedEvent } from '@logloom/schemas';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openColumnStore, type StoreHandle } from './open-column-store.ts';
import type { ViewName } from './views.ts';

const marks = `
  CREATE TABLE filled (epoch TEXT, topic TEXT, partition INTEGER, "offset" INTEGER NOT NULL, PRIMARY KEY (epoch, topic, partition)) WITHOUT ROWID;
  CREATE TABLE removed (one INTEGER PRIMARY KEY CHECK (one = 1), micros INTEGER NOT NULL);
  CREATE TABLE counts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;`;
const columns =
  'level INTEGER, service TEXT, host TEXT, message TEXT, correlation_id TEXT, correlation_kind TEXT, trace_id TEXT, span_id TEXT, attributes TEXT';

/** A store as the releases with SQLite stores had it, as far as it is read. */
function oldStore(path: string, events: readonly PlacedEvent[], documents: readonly Correlation[]): void {
  const db = new DatabaseSync(path);
  db.exec(`${marks} PRAGMA user_version = 1;
    CREATE TABLE events (rowid INTEGER PRIMARY KEY, ts INTEGER, id TEXT, partition INTEGER, "offset" INTEGER, received_at INTEGER, ${columns});
    CREATE TABLE correlations (id TEXT, document TEXT); BEGIN`);
  const put = db.prepare(`INSERT INTO events VALUES (NULL, ${Array(14).fill('?').join(', ')})`);
  for (const e of events)
    put.run(
      e.timestamp,
      e.id,
      e.partition,
      e.offset,
      e.receivedAt,
      2,
      e.service,
      e.host,
      e.message,
      e.correlationId,
      e.correlationKind,
      e.traceId,
      e.spanId,
      e.attributes,
    );
  for (const document of documents)
    db.prepare('INSERT INTO correlations VALUES (?, ?)').run(document.id, JSON.stringify(document));
  db.prepare('INSERT INTO filled VALUES (?, ?, 0, ?)').run('e1', topics.events, events.length);
  db.prepare("INSERT INTO counts VALUES ('events', ?)").run(events.length);
  db.exec('COMMIT');
  db.close();
}

const event = (offset: number): PlacedEvent =>
  placedEvent(offset, { id: `e1-0-${offset}`, timestamp: 10 * offset, level: 'info' });
const document = (n: number, revision: number): Correlation =>
  correlationDocument(`e1-0-${n}`, { revision, firstOffset: n, closeOffset: n, lastAt: 300_000 });

async function contentOf(handle: StoreHandle, view: ViewName): Promise<[number, string[]]> {
  return handle.run((store) =>
    store.read(view, async (read) => [
      Number((await read.rows(`SELECT count(DISTINCT id) FROM ${read.events()}`))[0]![0]),
      (await read.rows(`SELECT id, revision FROM ${read.requests()} ORDER BY id`)).map((row) =>
        row.join('/'),
      ),
    ]),
  );
}

test('the stores of an earlier release are taken over, also when it is interrupted, and then removed', async () => {
  using folder = temporaryFolder('column-store');
  const events = Array.from({ length: 20_000 }, (_, n) => event(n));
  const archive = join(folder.path, 'archive.db');
  oldStore(archive, events.slice(0, 15_000), [document(1, 1), document(2, 2)]);
  oldStore(join(folder.path, 'search.db'), events.slice(10_000), [document(1, 2)]);
  const db = new DatabaseSync(join(folder.path, 'search.db'));
  db.exec('INSERT INTO removed VALUES (1, 100000)');
  db.close();
  let told = 0;
  const first = openColumnStore(folder.path, 'search', { onTakeOver: () => told++ });
  assert.deepEqual(await first.run(async (store) => store.marks('archive').filled('e1')), [
    { topic: topics.events, partition: 0, offset: 15_000 },
  ]);
  await eventually('a part of it', async () => told > 1);
  await first.close();
  const handle = openColumnStore(folder.path, 'search');
  await handle.run((store) => store.putEvents('search', [event(20_000)]));
  await eventually('all of it', async () => !existsSync(archive));
  assert.deepEqual(await contentOf(handle, 'search'), [10_001, ['e1-0-1/2', 'e1-0-2/2']]);
  assert.deepEqual(await contentOf(handle, 'archive'), [20_001, ['e1-0-1/2', 'e1-0-2/2']]);
  assert.equal(await handle.run(async (store) => store.counts('archive').events), 20_001);
  const received = await handle.run((store) =>
    store.read('archive', (read) =>
      read.rows(
        `SELECT DISTINCT epoch_ms(received_at) FROM ${read.events({ toMicros: 150_000 })} WHERE timestamp < make_timestamp(150000)`,
      ),
    ),
  );
  assert.deepEqual(received, [[BigInt(event(0).receivedAt)]]);
  assert.equal(existsSync(join(folder.path, 'search.db')), false);
  await handle.close();
});
