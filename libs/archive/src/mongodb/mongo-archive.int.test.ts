import { compilePredicate, FilterSubject, parseFilter, type Filter } from '@logloom/filter';
import { corpusEvents, corpusFilters, generateCorpusEvents } from '@logloom/filter/corpus';
import { type Correlation, type PlacedEvent } from '@logloom/schemas';
import { correlationDocument, placedEvent } from '@logloom/testing';
import { MongoClient } from 'mongodb';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { after, describe, test } from 'node:test';
import { startStack } from '../../../../infra/local/start-stack.ts';
import { ArchiveError } from '../archive.ts';
import { archiveContract } from '../contract/archive.contract.ts';
import { compareEvents } from './document.ts';
import { openMongoArchive, type MongoArchive } from './mongo-archive.ts';

interface Target {
  name: string;
  baseUrl: string;
  /** Only the stand-in can be stopped by a test. */
  server?: Awaited<ReturnType<typeof startStack>>['mongodb'];
}

const given = process.env['MONGODB_TEST_URL'];
if (given !== undefined) suite({ name: 'MONGODB_TEST_URL', baseUrl: given });

for (const mongodbMode of ['standalone', 'mongos'] as const) {
  const stack = await startStack({ only: ['mongodb'], mongodbMode });
  const { mongodb: missing } = stack.missing;
  const name = `stand-in, ${mongodbMode}`;
  describe(name, { skip: missing ?? false }, () => {
    after(() => stack.stop());
    if (missing === undefined) suite({ name, baseUrl: stack.env['MONGODB_URL']!, server: stack.mongodb });
  });
}

function suite(target: Target): void {
  describe(`mongodb: ${target.name}`, () => archiveTests(target));
}

function archiveTests({ name, baseUrl, server }: Target): void {
  const client = new MongoClient(baseUrl);
  after(() => client.close());

  /** Runs on a database of its own. */
  const withArchive = async (
    run: (archive: MongoArchive, url: string, database: string) => Promise<void>,
  ): Promise<void> => {
    const { url, database } = newDatabase(baseUrl);
    const archive = await openMongoArchive(url);
    try {
      await run(archive, url, database);
    } finally {
      await archive.close();
      await client.db(database).dropDatabase();
    }
  };
  const collectionsOf = async (database: string): Promise<string[]> =>
    (await client.db(database).listCollections({}, { nameOnly: true }).toArray()).map((c) => c.name).sort();

  test('archives whose collections begin with a prefix share nothing with the others of their database', () =>
    withArchive(async (archive, url, database) => {
      const other = await openMongoArchive(url, { collectionPrefix: 'loadtest_' });
      try {
        const at = Date.UTC(2024, 4, 1) * 1000;
        const event = (offset: number): PlacedEvent =>
          placedEvent(offset, { timestamp: at + offset, receivedAt: at / 1000, correlationId: 'r1' });
        await archive.put([event(1)]);
        await other.put([event(2), event(3)]);
        await other.putCorrelations([correlationDocument('log-0-2', { firstAt: at, lastAt: at })]);
        const offsets = async (one: MongoArchive): Promise<number[]> =>
          (await one.byCorrelation('r1')).map(({ offset }) => offset);
        assert.deepEqual([await offsets(archive), await offsets(other)], [[1], [2, 3]]);
        assert.deepEqual(
          [await archive.counts(), await other.counts()],
          [
            { events: 1, correlations: 0 },
            { events: 2, correlations: 1 },
          ],
        );
        assert.ok((await collectionsOf(database)).includes('loadtest_events_2024_05'));
        // A whole month at once, and then what is left.
        assert.equal(await other.dropBefore(Date.UTC(2024, 6, 1) * 1000), 2);
        assert.deepEqual([await offsets(archive), await offsets(other)], [[1], []]);
        assert.equal(await archive.removedBefore(), -Infinity);
      } finally {
        await other.close();
      }
    }));

  archiveContract('mongodb', async () => {
    const { url, database } = newDatabase(baseUrl);
    let archive = await openMongoArchive(url);
    return {
      archive,
      reopen: async () => {
        await archive.close();
        return (archive = await openMongoArchive(url));
      },
      dispose: async () => {
        await archive.close();
        await client.db(database).dropDatabase();
      },
    };
  });

  describe('beyond the contract', () => {
    test('months are collections, read in order together with the strays, and retention drops them', () =>
      withArchive(async (archive, url, database) => {
        const times = [
          '2025-12-31T23:59:59Z',
          '2026-01-01T00:00:00Z',
          '2026-01-20T00:00:00Z',
          '2026-03-01T00:00:00Z',
          '2026-03-02T00:00:00Z',
          '2004-01-01T00:00:00Z',
          '2031-01-01T00:00:00Z',
        ];
        const events = times.map((time, i) => event(i, time));
        await archive.put(events.toReversed());
        const all = ['correlations', 'events_2025_12', 'events_2026_01', 'events_2026_03', 'events_other'];
        assert.deepEqual(await collectionsOf(database), all);
        const ordered = events.toSorted(compareEvents).map(({ id }) => id);
        const range = { fromMicros: 0, toMicros: Date.UTC(2040) * 1000 };
        assert.deepEqual(await idsOf(archive.scan(range, new AbortController().signal)), ordered);
        assert.deepEqual(ids(await archive.byCorrelation('c')), ordered);
        assert.deepEqual(ids(await archive.byCorrelation('c', { limit: 3 })), ordered.slice(0, 3));
        const reader = await openMongoArchive(url, { readOnly: true });
        const month = {
          fromMicros: micros('2026-01-01T00:00:00Z'),
          toMicros: micros('2026-02-01T00:00:00Z'),
        };
        assert.deepEqual(ids(await reader.byCorrelation('c', month)), [events[1]!.id, events[2]!.id]);
        await reader.close();
        assert.equal(await archive.dropBefore(micros('2026-03-02T00:00:00Z')), 5);
        const left = ['correlations', 'events_2026_03', 'events_other', 'marks'];
        assert.deepEqual(await collectionsOf(database), left);
        assert.deepEqual(ids(await archive.byCorrelation('c')), [events[4]!.id, events[6]!.id]);
        await archive.put([events[1]!]);
        assert.equal((await archive.counts()).events, 3);
      }));

    test("a duplicate whose timestamp lies beyond the month's end is known", () =>
      withArchive(async (archive) => {
        const first = event(1, '2026-01-31T23:59:59Z');
        const duplicate = { ...first, offset: 9, timestamp: micros('2026-02-01T00:00:01Z') };
        await archive.put([event(2, '2026-02-01T00:00:02Z'), first]);
        await archive.put([duplicate, event(3, '2026-02-01T00:00:03Z')]);
        assert.deepEqual(
          (await archive.byCorrelation('c')).map(({ offset }) => offset),
          [1, 2, 3],
        );
      }));

    test('writers side by side: each event once, each document at its highest revision', () =>
      withArchive(async (archive, url) => {
        const others = await Promise.all([openMongoArchive(url), openMongoArchive(url)]);
        const writers = [archive, ...others];
        const events = Array.from({ length: 300 }, (_, i) => event(i, `2026-0${1 + (i % 4)}-15T00:00:00Z`));
        const documents = Array.from({ length: 40 }, (_, i) => `0-${i}`);
        await Promise.all(
          writers.flatMap((writer, w) => [
            writer.put(events),
            writer.putCorrelations(documents.map((id) => correlation(id, ((w + id.length) % 3) + 1))),
          ]),
        );
        assert.deepEqual(await archive.counts(), { events: 300, correlations: 40 });
        for (const id of documents) assert.equal((await archive.correlation(id))?.revision, 3);
        await Promise.all(others.map((writer) => writer.close()));
      }));

    test(
      'in a cluster each collection is sharded by a hash; a second start finds it done',
      { skip: isRouter(name) ? false : 'only a router shards' },
      () =>
        withArchive(async (archive, url, database) => {
          await archive.put([event(1, '2026-01-15T00:00:00Z')]);
          await (await openMongoArchive(url)).close();
          // Another key is refused where a collection has one already: so each has one.
          for (const collection of ['events_2026_01', 'events_other', 'correlations'])
            await assert.rejects(
              client.db('admin').command({ shardCollection: `${database}.${collection}`, key: { other: 1 } }),
              { code: 23 },
            );
        }),
    );

    test(
      'scans may be answered by secondaries; what is asked by an id is not',
      { skip: isRouter(name) ? false : 'only a router is told whom to ask' },
      async () => {
        const { url, database } = newDatabase(baseUrl);
        await using proxy = await openProxy(url);
        const archive = await openMongoArchive(proxy.url);
        const fromSecondaries = async (read: () => Promise<unknown>): Promise<boolean> => {
          proxy.sent.length = 0;
          await read();
          return Buffer.concat(proxy.sent).includes('secondaryPreferred');
        };
        try {
          await archive.put([event(1, '2026-01-15T00:00:00Z')]);
          const range = { fromMicros: Number.MIN_SAFE_INTEGER, toMicros: Number.MAX_SAFE_INTEGER };
          const scan = archive.scan({ ...range, filter: filterOf('') }, new AbortController().signal);
          assert.equal(await fromSecondaries(() => idsOf(scan)), true);
          assert.equal(await fromSecondaries(() => archive.byCorrelation('c')), false);
          assert.equal(await fromSecondaries(() => archive.range('k3x9', 0, 0, 9, 9)), false);
        } finally {
          await archive.close();
          await client.db(database).dropDatabase();
        }
      },
    );

    test(
      'a server that is unreachable gives a retriable error; put() succeeds once it is back',
      { skip: server === undefined ? 'only the stand-in may be stopped' : false },
      () =>
        withArchive(async (patient, url) => {
          const events = [event(1, '2026-01-15T00:00:00Z'), event(2, '2026-02-15T00:00:00Z')];
          const archive = await openMongoArchive(url, { serverSelectionTimeoutMs: 500 });
          try {
            await archive.put(events);
            await server!.kill();
            await assert.rejects(archive.put(events), isUnavailable);
            await assert.rejects(archive.byCorrelation('c'), isUnavailable);
            await assert.rejects(openMongoArchive(url, { serverSelectionTimeoutMs: 500 }), isUnavailable);
            const waiting = putPatiently(patient, events);
            await server!.start();
            await waiting;
            assert.deepEqual(ids(await archive.byCorrelation('c')), ids(events));
          } finally {
            if (server!.pid === undefined) await server!.start();
            await archive.close();
          }
        }),
    );

    describe('a filter means the same as the predicate', () => {
      const events = [...corpusEvents, ...generateCorpusEvents(400)];
      const subjects = events.map((one) => new FilterSubject(one));
      const { url, database } = newDatabase(baseUrl);
      let archive: MongoArchive | undefined;
      after(async () => {
        await archive?.close();
        await client.db(database).dropDatabase();
      });
      const range = { fromMicros: Number.MIN_SAFE_INTEGER, toMicros: Number.MAX_SAFE_INTEGER };
      const scan = async (filter: Filter): Promise<string[]> => {
        if (archive === undefined) {
          archive = await openMongoArchive(url);
          await archive.put(events);
        }
        return (await idsOf(archive.scan({ ...range, filter }, new AbortController().signal))).sort();
      };
      for (const text of corpusFilters) {
        const isOddity = server !== undefined && text === 'service:{\uffee TO *]';
        const skip = isOddity ? 'the stand-in compares strings by UTF-16 units, MongoDB by bytes' : false;
        test(text || '(empty)', { skip }, async () => {
          for (const filter of [filterOf(text), filterOf(`NOT (${text || '*'})`)]) {
            const wanted = subjects.filter(compilePredicate(filter)).map((subject) => subject.event.id);
            assert.deepEqual(await scan(filter), wanted.sort());
          }
        });
      }
    });
  });
}

function isRouter(name: string): boolean {
  return name.endsWith('mongos');
}

function newDatabase(baseUrl: string): { url: string; database: string } {
  const database = `logloom_test_${randomUUID().replaceAll('-', '')}`;
  const [, servers, options = ''] = /^([^/]+\/\/[^/?]+)\/?[^?]*(\?.*)?$/.exec(baseUrl)!;
  return { url: `${servers}/${database}${options}`, database };
}

function isUnavailable(error: unknown): boolean {
  return error instanceof ArchiveError && error.code === 'archive-unavailable' && error.retriable;
}

function filterOf(text: string): Filter {
  const result = parseFilter(text);
  assert.ok(result.ok, text);
  return result.filter;
}

async function idsOf(events: AsyncIterable<PlacedEvent>): Promise<string[]> {
  const found: string[] = [];
  for await (const { id } of events) found.push(id);
  return found;
}

function ids(events: readonly PlacedEvent[]): string[] {
  return events.map(({ id }) => id);
}

function micros(time: string): number {
  return Date.parse(time) * 1000;
}

function event(offset: number, time: string): PlacedEvent {
  return placedEvent(offset, {
    id: `http-p-0-${offset}`,
    timestamp: micros(time),
    receivedAt: Date.parse('2026-03-15T00:00:00Z'),
    correlationId: 'c',
    correlationKind: 'traceId',
  });
}

function correlation(id: string, revision: number): Correlation {
  return correlationDocument(id, { revision });
}

/** As the indexer does: what is retriable is tried again, for a start of the server may take longer than one put() waits. */
async function putPatiently(archive: MongoArchive, events: readonly PlacedEvent[]): Promise<void> {
  for (;;) {
    try {
      return await archive.put(events);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
    }
  }
}

/** Passes all on to the server of this URL, and keeps what was sent to it. */
async function openProxy(url: string) {
  const target = new URL(url);
  const { port, hostname } = target;
  const sent: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    client.on('data', (bytes) => void sent.push(bytes));
    client.pipe(upstream).pipe(client);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  target.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: target.href,
    sent,
    async [Symbol.asyncDispose](): Promise<void> {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
