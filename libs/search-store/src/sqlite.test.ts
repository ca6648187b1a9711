import { parseFilter } from '@logloom/filter';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { searchStoreContract } from './search-store.contract.ts';
import { SearchStoreError } from './search-store.ts';
import { openSqliteSearchStore } from './sqlite.ts';

searchStoreContract('sqlite', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'search-store-'));
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
  const folder = mkdtempSync(join(tmpdir(), 'search-store-'));
  const reader = openSqliteSearchStore(folder, { readOnly: true, queryLimitMs: -1 });
  const writer = openSqliteSearchStore(folder);
  try {
    const events = Array.from({ length: 600 }, (_, offset) => ({
      source: { kind: 'http', topic: 'p', partition: 0, offset, index: 0 },
      id: `http-p-0-${offset}`,
      partition: 0,
      offset,
      timestamp: offset,
      receivedAt: 0,
      level: 'info' as const,
      service: 'shop',
      host: null,
      message: 'm',
      correlationId: null,
      correlationKind: null,
      traceId: null,
      spanId: null,
      attributes: '{}',
    }));
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
