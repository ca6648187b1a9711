import type { Correlation } from '@logloom/schemas';
import { openEmbeddedSearchStore, type ShapeDurationsQuery } from '@logloom/search-store';
import { correlationDocument, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { compareRequests, type RequestComparison } from './request-comparison.ts';

const folder = temporaryFolder('comparison').path;
const search = openEmbeddedSearchStore(folder);
const secondsPerDay = 86_400;
/** The request `n` begins n seconds after 1970 and takes so many milliseconds. */
const documentOf = (n: number, ms: number, shape: string): Correlation =>
  correlationDocument(`0-${n}`, { firstAt: n * 1_000_000, lastAt: n * 1_000_000 + ms * 1000, shape });
const often = Array.from({ length: 700 }, (_, n) => documentOf(n, 10 + (n % 10), 'often'));
const seldom = Array.from({ length: 30 }, (_, n) => documentOf(1000 + n, n === 29 ? 500 : 10, 'seldom'));
const few = Array.from({ length: 20 }, (_, n) => documentOf(2000 + n, n === 19 ? 5000 : 1, 'few'));
const dayAfter = documentOf(secondsPerDay + 699, 60, 'often');
const all = [...often, ...seldom, ...few, dayAfter, documentOf(3000, 1, '')];

before(() => search.indexCorrelations(all));
after(async () => {
  await search.close();
  rmSync(folder, { recursive: true });
});

const comparisonOf = async (document: Correlation): Promise<RequestComparison | undefined> =>
  (await compareRequests(search, [document]))[0];

test('the duration is compared with those of the latest 500 of the shape in the day before', async () => {
  assert.deepEqual(await comparisonOf(often[699]!), {
    shape: 'often',
    requests: 500,
    since: '1970-01-01T00:03:19.000000Z',
    p50Ms: 14,
    p95Ms: 19,
    slowerThan: 450,
    slow: false,
  });
  // Of a day ago only the last one still counts.
  assert.deepEqual(await comparisonOf(dayAfter), {
    shape: 'often',
    requests: 1,
    since: '1970-01-01T00:11:39.000000Z',
    slow: false,
  });
});

test('nothing is said by fewer than 20 requests, and no p95 by fewer than 59', async () => {
  assert.deepEqual(await comparisonOf(few[19]!), {
    shape: 'few',
    requests: 19,
    since: '1970-01-01T00:33:20.000000Z',
    slow: false,
  });
  assert.deepEqual(await comparisonOf(seldom[29]!), {
    shape: 'seldom',
    requests: 29,
    since: '1970-01-01T00:16:40.000000Z',
    p50Ms: 10,
    slowerThan: 29,
    slow: true,
  });
  assert.deepEqual(await comparisonOf(often[58]!).then((c) => [c?.requests, c?.p95Ms]), [58, undefined]);
  assert.deepEqual(await comparisonOf(often[59]!).then((c) => [c?.requests, c?.p95Ms]), [59, 19]);
  assert.equal(await comparisonOf(documentOf(3000, 1, '')), undefined);
});

test('the documents of a list, in any order, are compared as each alone, by few queries', async () => {
  const some = [...all.filter((_, i) => i % 7 < 3), ...often.slice(0, 5)];
  let queries = 0;
  const counting = {
    shapeDurations: (query: ShapeDurationsQuery) => {
      queries++;
      return search.shapeDurations(query);
    },
  };
  const found = await compareRequests(counting, some);
  assert.ok(queries < 20, `${queries} queries for ${some.length} documents`);
  for (const [i, document] of some.entries())
    assert.deepEqual(found[i], await comparisonOf(document), document.id);
  assert.deepEqual(await compareRequests(search, []), []);
});
