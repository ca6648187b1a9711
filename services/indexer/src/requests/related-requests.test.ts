import { correlationDefaults, type Correlation } from '@logloom/schemas';
import { openEmbeddedSearchStore } from '@logloom/search-store';
import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { relatedRequests } from './related-requests.ts';

const folder = temporaryFolder('related').path;
const search = openEmbeddedSearchStore(folder);
before(async () => {
  await search.indexCorrelations([
    // 400 ordinary requests a second apart, and one that is like no other.
    ...Array.from({ length: 400 }, (_, i) => document(i, { shape: 'aaaaaaaaaaaaaaaa' })),
    document(400, { shape: 'bbbbbbbbbbbbbbbb', correlationId: 'req-1', ids: ['trace-1', 'session-1'] }),
    document(401, { shape: 'aaaaaaaaaaaaaaaa', correlationId: 'trace-1' }),
    document(402, { shape: 'aaaaaaaaaaaaaaaa', correlationId: 'req-2', ids: ['session-1'] }),
    document(403, { shape: 'bbbbbbbbbbbbbbbb' }),
  ]);
});
after(async () => {
  await search.close();
  rmSync(folder, { recursive: true });
});

test('documents that share an id are related, with the ids that they share', async () => {
  const related = async (n: number): Promise<[string, string[]][]> =>
    (await relatedRequests(search, (await search.correlation(`0-${n}`))!)).map((r) => [r.id, r.shared]);
  assert.deepEqual(await related(400), [
    ['0-402', ['session-1']],
    ['0-401', ['trace-1']],
  ]);
  assert.deepEqual(await related(401), [['0-400', ['trace-1']]]);
  assert.deepEqual(await related(5), []);
});

function document(n: number, rest: Partial<Correlation>): Correlation {
  return {
    id: `0-${n}`,
    correlationId: `c-${n}`,
    kind: 'requestId',
    revision: 1,
    closeReason: 'idle',
    firstAt: n * 1_000_000,
    lastAt: n * 1_000_000 + 5,
    services: ['shop'],
    levels: { info: 1 },
    rules: [],
    severity: null,
    partition: 0,
    firstOffset: n,
    closeOffset: n + 1,
    closeSequence: 0,
    firstClosedAt: 3,
    memberDeltas: [0],
    ...correlationDefaults,
    ...rest,
  };
}
