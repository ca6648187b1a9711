import {
  compilePredicate,
  FilterSubject,
  parseFilter,
  registerSqlFunctions,
  tokenize,
  type Filter,
} from '@logloom/filter';
import type { PlacedEvent } from '@logloom/schemas';
import { placedEvent, temporaryFolder } from '@logloom/testing';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { runCancellable } from '../cancellation.ts';
import { searchStoreContract } from '../contract/search-store.contract.ts';
import { compileCorrelationWhere } from '../correlation-where.ts';
import { SearchStoreError } from '../search-store.ts';
import { deadlineCondition } from './query-deadline.ts';
import { openForWriting } from './schema.ts';
import { openSqliteSearchStore } from './sqlite-search-store.ts';
import { eventsWhere } from './where.ts';

searchStoreContract('sqlite', async () => {
  const folder = temporaryFolder('search-store').path;
  let store = openSqliteSearchStore(folder);
  return {
    store,
    reopen: async () => {
      await store.close();
      return (store = openSqliteSearchStore(folder));
    },
    dispose: async () => {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
});

test('a reader beside the writer sees what was indexed, cannot write, and its queries have a time limit', async () => {
  const folder = temporaryFolder('search-store').path;
  const reader = openSqliteSearchStore(folder, { readOnly: true, queryLimitMs: -1 });
  const writer = openSqliteSearchStore(folder);
  try {
    const events = Array.from({ length: 600 }, (_, offset) => event(offset, 'm'));
    await writer.index(events);
    assert.equal((await reader.counts()).events, 600);
    assert.equal((await reader.event('http-p-0-7'))?.offset, 7);
    await assert.rejects(reader.index(events), TypeError);
    const everything = parseFilter('');
    assert.ok(everything.ok);
    await assert.rejects(
      reader.search({ filter: everything.filter, limit: 500, order: 'asc' }),
      (error: unknown) => error instanceof SearchStoreError && error.code === 'timeout',
    );
  } finally {
    await reader.close();
    await writer.close();
    rmSync(folder, { recursive: true });
  }
});

test('a search whose total takes too long to count returns its page, and the total as not exact', async () => {
  const folder = temporaryFolder('search-store').path;
  const store = openSqliteSearchStore(folder, { countLimitMs: -1 });
  try {
    await store.index(Array.from({ length: 600 }, (_, offset) => event(offset, 'm')));
    const { filter } = parseFilter('') as { filter: Filter };
    const { events, total, next } = await store.search({ filter, limit: 500, order: 'asc' });
    assert.equal(events.length, 500);
    assert.equal(total.exact, false);
    assert.ok(total.value < 600);
    const last = await store.search({ filter, limit: 500, order: 'asc', cursor: next });
    assert.equal(last.events.length, 100);
    assert.deepEqual(last.total, total);
    // Other queries that follow have their whole time.
    assert.equal((await store.histogram({ filter })).buckets.length, 1);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
});

/** How SQLite runs a query of the embedded store. */
function planner(): (sql: string, params: (string | number)[]) => string {
  const db = openForWriting(':memory:');
  registerSqlFunctions(db);
  db.function('logloom_before_deadline', () => 1);
  return (sql, params) =>
    (db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...params) as { detail: string }[])
      .map(({ detail }) => detail)
      .join('; ');
}

test('filters on time, service and level, their counts and histograms are answered without reading rows', () => {
  const plan = planner();
  for (const text of ['', 'service:checkout', 'level:error', 'service:a* AND NOT level:debug']) {
    const { filter } = parseFilter(text) as { filter: Filter };
    const { sql, params } = eventsWhere(filter, {});
    for (const query of [
      `SELECT 1 FROM events WHERE ${sql} LIMIT 10001`,
      `SELECT rowid, ts FROM events WHERE (ts, rowid) < (5, 5) AND ${sql} ORDER BY ts DESC, rowid DESC LIMIT 11`,
      `SELECT ts / 1000 AS bucket, level, COUNT(*) FROM events WHERE ${sql} GROUP BY bucket, level`,
    ]) {
      assert.match(plan(query, params), /USING COVERING INDEX/, query);
      assert.doesNotMatch(plan(query, params), /ORDER BY/, query);
    }
  }
});

test('filters on what happened in a request, and their counts, are answered without reading documents', () => {
  const plan = planner();
  for (const [text, access] of [
    ['', /^SCAN correlations USING COVERING INDEX/],
    ['level:error AND NOT severity:page', /^SCAN correlations USING COVERING INDEX/],
    ['durationMs:>500 AND eventCount:>3', /^SCAN correlations USING COVERING INDEX/],
    ['closeReason:evicted', /^SEARCH correlations USING COVERING INDEX correlations_close_reason/],
    ['correlationId:abc', /^SEARCH correlations USING (COVERING )?INDEX correlations_correlation_id/],
  ] as const) {
    const { filter } = parseFilter(text) as { filter: Filter };
    const { where, params } = compileCorrelationWhere(filter);
    const condition = `${deadlineCondition()} AND (${where})`;
    for (const query of [
      `SELECT 1 FROM correlations WHERE ${condition} LIMIT 10001`,
      `SELECT rowid, first_at FROM correlations WHERE ${condition} ORDER BY first_at DESC, rowid DESC LIMIT 11`,
    ])
      assert.match(plan(query, params), access, `${text}: ${query}`);
  }
});

test('what an older release has written gets the ids of now: places in the log', async () => {
  const folder = temporaryFolder('search-store').path;
  try {
    const old = openSqliteSearchStore(folder);
    await old.index([event(7, 'seven'), event(8, 'eight')]);
    await old.close();
    for (const epoch of ['k3x9', 'never again']) {
      const store = openSqliteSearchStore(folder, { epoch });
      const { filter } = parseFilter('eight') as { filter: Filter };
      const { events } = await store.search({ filter, limit: 5, order: 'asc' });
      assert.deepEqual(
        events.map(({ id }) => id),
        ['k3x9-0-8'],
      );
      assert.equal((await store.event('k3x9-0-7'))?.message, 'seven');
      assert.equal(await store.event('http-p-0-7'), undefined);
      await store.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a running query ends when its client has gone meanwhile, and others continue', async () => {
  const folder = temporaryFolder('search-store').path;
  const store = openSqliteSearchStore(folder);
  try {
    await store.index(Array.from({ length: 2000 }, (_, offset) => event(offset, 'm')));
    const everything = parseFilter('message:m');
    assert.ok(everything.ok);
    const query = { filter: everything.filter, limit: 1000, order: 'asc' } as const;
    // Gone from the third look on: the query has begun by then.
    let looks = 0;
    const cancellation = {
      get aborted() {
        return ++looks > 3;
      },
    };
    await assert.rejects(
      runCancellable(cancellation, () => store.search(query)),
      (error: unknown) => error instanceof SearchStoreError && error.code === 'cancelled',
    );
    assert.equal(looks, 4);
    assert.equal((await store.search(query)).events.length, 1000);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
});

test('every word of any message is found, whichever way its words went in', async () => {
  const message = fc.oneof(
    fc.string({ unit: 'grapheme-ascii', maxLength: 40 }),
    fc.string({ unit: 'binary-ascii', maxLength: 40 }),
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.constantFrom('snake_case A1 b2', "it's 3.14", 'İstanbul', 'x\u0000y'),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 30 }), async (messages) => {
      const folder = temporaryFolder('search-store').path;
      const store = openSqliteSearchStore(folder);
      try {
        const events = messages.map((text, offset) => event(offset, text));
        await store.index(events);
        for (const word of new Set(messages.flatMap(tokenize))) {
          const parsed = parseFilter(`message:"${word}"`);
          assert.ok(parsed.ok);
          const matches = compilePredicate(parsed.filter);
          const found = await store.search({ filter: parsed.filter, limit: 100, order: 'asc' });
          assert.deepEqual(
            found.events.map((e) => e.offset),
            events.filter((e) => matches(new FilterSubject(e))).map((e) => e.offset),
          );
          assert.ok(found.events.length > 0);
        }
      } finally {
        await store.close();
        rmSync(folder, { recursive: true });
      }
    }),
    { numRuns: 20 },
  );
});

function event(offset: number, message: string): PlacedEvent {
  return placedEvent(offset, { id: `http-p-0-${offset}`, timestamp: offset, receivedAt: 0, message });
}
