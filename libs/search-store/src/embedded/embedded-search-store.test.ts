import { ColumnStore } from '@logloom/column-store';
import { compilePredicate, FilterSubject, parseFilter, tokenize, type Filter } from '@logloom/filter';
import type { PlacedEvent } from '@logloom/schemas';
import { placedEvent, temporaryFolder } from '@logloom/testing';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { readdirSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCancellable } from '../cancellation.ts';
import { SearchStoreError, type SearchStore } from '../search-store.ts';
import { sealing, sharing } from '../testing/sealing.ts';
import { columnSearchStore, openEmbeddedSearchStore } from './embedded-search-store.ts';

test('a reader beside the writer sees what was indexed, cannot write, and its queries have a time limit', async () => {
  await withFolder(async (folder) => {
    const writer = openEmbeddedSearchStore(folder);
    const reader = openEmbeddedSearchStore(folder, { readOnly: true });
    const hasty = openEmbeddedSearchStore(folder, { readOnly: true, queryLimitMs: -1 });
    try {
      const events = Array.from({ length: 600 }, (_, offset) => event(offset, 'm'));
      await writer.index(events);
      assert.equal((await reader.counts()).events, 600);
      assert.equal((await reader.event('http-p-0-7'))?.offset, 7);
      await writer.index([event(600, 'later')]);
      assert.equal((await reader.search(query('later'))).events.length, 1);
      await assert.rejects(reader.index(events), TypeError);
      await assert.rejects(hasty.search(query('')), hasCode('timeout'));
    } finally {
      for (const store of [hasty, reader, writer]) await store.close();
    }
  });
});

test('a search whose total takes too long to count returns its page, and the total as not exact', async () => {
  await withStore({ countLimitMs: -1 }, async (store) => {
    await store.index(Array.from({ length: 600 }, (_, offset) => event(offset, 'm')));
    const first = await store.search(query('', 500));
    assert.equal(first.events.length, 500);
    assert.equal(first.total.exact, false);
    assert.ok(first.total.value < 600);
    const last = await store.search({ ...query('', 500), cursor: first.next });
    assert.equal(last.events.length, 100);
    assert.deepEqual(last.total, first.total);
    // Other queries that follow have their whole time.
    assert.equal((await store.histogram({ filter: filterOf('') })).buckets.length, 1);
  });
});

test('a running query ends when its client has gone meanwhile, and others continue', async () => {
  await withStore({}, async (store) => {
    const word = 'a'.repeat(2000);
    await store.index(Array.from({ length: 4000 }, (_, offset) => event(offset, `${word} ${offset}`)));
    // Seconds of work.
    const patterns = Array.from(
      { length: 50 },
      (_, i) => `${'?*a'.repeat(14)}${'?'.repeat(i % 25)}${i < 25 ? '*' : '*a'}`,
    );
    const slow = query(`message:(${patterns.join(' AND ')})`);
    // Gone from the third look on: the query has begun by then.
    let looks = 0;
    const cancellation = {
      get aborted() {
        return ++looks > 3;
      },
    };
    await assert.rejects(
      runCancellable(cancellation, () => store.search(slow)),
      hasCode('cancelled'),
    );
    assert.equal(looks, 4);
    assert.equal((await store.search(query('', 1000))).events.length, 1000);
  });
});

test('every word of any message is found', async () => {
  const message = fc.oneof(
    fc.string({ unit: 'grapheme-ascii', maxLength: 40 }),
    fc.string({ unit: 'binary-ascii', maxLength: 40 }),
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.constantFrom('snake_case A1 b2', "it's 3.14", 'İstanbul', 'x\u0000y'),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(message, { minLength: 1, maxLength: 20 }),
      fc.boolean(),
      async (messages, inSlices) => {
        await withFolder(async (folder) => {
          const columns = new ColumnStore(folder);
          const store = inSlices
            ? sealing(columnSearchStore(sharing(columns)), columns)
            : columnSearchStore(sharing(columns));
          try {
            const events = messages.map((text, offset) => event(offset, text));
            await store.index(events);
            for (const word of new Set(messages.flatMap(tokenize))) {
              const asked = query(`message:"${word}"`, 100);
              const matches = compilePredicate(asked.filter);
              assert.deepEqual(
                (await store.search(asked)).events.map((e) => e.offset),
                events.filter((e) => matches(new FilterSubject(e))).map((e) => e.offset),
              );
            }
          } finally {
            await store.close();
          }
        });
      },
    ),
    { numRuns: 10 },
  );
});

test('rows that the indexes leave out are those that do not match, from both ends of time', async () => {
  await withFolder(async (folder) => {
    const columns = new ColumnStore(folder);
    const store = sealing(columnSearchStore(sharing(columns)), columns);
    const events = Array.from({ length: 200 }, (_, i) => ({
      ...event(i, `${i % 50 === 3 ? 'rare ' : ''}word${i % 9} common ${i % 97 === 0 ? 'IOException' : ''}`),
      timestamp: (i * 37) % 200,
      traceId: `t${i % 40}`,
      spanId: i % 3 === 0 ? null : `s${i}`,
      service: i % 5 === 0 ? 'pay' : 'shop',
    }));
    try {
      for (let from = 0; from < 200; from += 40) await store.index(events.slice(from, from + 40));
      for (const text of [
        ...[
          'rare',
          'common',
          'nowhere',
          '*exception*',
          'word3 AND rare',
          'word3 OR rare',
          'NOT common',
          '"rare word3"',
        ],
        ...[
          'traceId:t7',
          'traceId:t7 AND service:pay',
          'spanId:s100',
          'NOT spanId:s100 AND rare',
          'NOT rare',
          '*o*',
        ],
        ...[
          'traceId:none',
          '(traceId:t1 OR spanId:s2) AND word1',
          'correlationId:x',
          '"common rare"',
          'w*3 common',
        ],
      ]) {
        const matches = compilePredicate(filterOf(text));
        const wanted = events
          .filter((e) => matches(new FilterSubject(e)))
          .sort((a, b) => a.timestamp - b.timestamp)
          .map((e) => e.offset);
        for (const order of ['asc', 'desc'] as const) {
          const found: number[] = [];
          for (let cursor: string | undefined; ;) {
            const page = await store.search({ ...query(text, 30), order, cursor });
            assert.deepEqual(page.total, { value: wanted.length, exact: true }, text);
            found.push(...page.events.map((e) => e.offset));
            if ((cursor = page.next) === undefined) break;
          }
          assert.deepEqual(found, order === 'asc' ? wanted : wanted.toReversed(), text);
        }
        const { buckets } = await store.histogram({ filter: filterOf(text), fromMicros: 0, toMicros: 200 });
        assert.equal(
          buckets.reduce((sum, { count }) => sum + count, 0),
          wanted.length,
        );
      }
    } finally {
      await store.close();
    }
  });
});

test('a damaged index costs time, and nothing else', async () => {
  await withFolder(async (folder) => {
    const columns = new ColumnStore(folder);
    const store = sealing(columnSearchStore(sharing(columns)), columns);
    try {
      await store.index(Array.from({ length: 40 }, (_, i) => event(i, i % 20 === 0 ? 'rare' : 'usual')));
      const files = (extension: string): string[] =>
        readdirSync(folder)
          .filter((name) => name.endsWith(extension))
          .map((name) => join(folder, name));
      for (const file of files('.words')) rmSync(file);
      assert.equal((await store.search(query('rare'))).events.length, 2);
      await store.index(Array.from({ length: 40 }, (_, i) => event(40 + i, i % 20 === 0 ? 'rare' : 'usual')));
      assert.equal(files('.blocks').length, 2);
      for (const file of files('.blocks')) truncateSync(file, 30);
      const reader = columnSearchStore(sharing(columns));
      assert.equal((await reader.search(query('rare'))).events.length, 4);
    } finally {
      await store.close();
    }
  });
});

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = temporaryFolder('search-store').path;
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function withStore(
  options: Parameters<typeof openEmbeddedSearchStore>[1],
  work: (store: SearchStore) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const store = openEmbeddedSearchStore(folder, options);
    try {
      await work(store);
    } finally {
      await store.close();
    }
  });
}

function filterOf(text: string): Filter {
  const result = parseFilter(text);
  assert.ok(result.ok, text);
  return result.filter;
}

function query(text: string, limit = 10): { filter: Filter; limit: number; order: 'asc' } {
  return { filter: filterOf(text), limit, order: 'asc' };
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof SearchStoreError && error.code === code;
}

function event(offset: number, message: string): PlacedEvent {
  return placedEvent(offset, { id: `http-p-0-${offset}`, timestamp: offset, receivedAt: 0, message });
}
