import { correlationDefaults, type Correlation } from '@logloom/schemas';
import { openSqliteSearchStore } from '@logloom/search-store';
import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { relatedRequests } from './related-requests.ts';
import { anomalyWindowMs, requestAnomalies, requestAnomaly } from './request-anomaly.ts';

const folder = temporaryFolder('related').path;
const search = openSqliteSearchStore(folder);
before(async () => {
  await search.indexCorrelations([
    // 400 ordinary requests a second apart, and one that is like no other.
    ...Array.from({ length: 400 }, (_, i) => document(i, { shape: 'aaaaaaaaaaaaaaaa' })),
    document(400, { shape: 'bbbbbbbbbbbbbbbb', correlationId: 'req-1', ids: ['trace-1', 'session-1'] }),
    document(401, { shape: 'aaaaaaaaaaaaaaaa', correlationId: 'trace-1' }),
    document(402, { shape: 'aaaaaaaaaaaaaaaa', correlationId: 'req-2', ids: ['session-1'] }),
    document(403, { shape: 'bbbbbbbbbbbbbbbb' }),
    document(404 + anomalyWindowMs / 1000, { shape: 'cccccccccccccccc' }),
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

test('a shape is rare when fewer than one in 200 of the day before have it, and a day of few says nothing', async () => {
  const anomaly = async (n: number) => (await requestAnomaly(search, (await search.correlation(`0-${n}`))!))!;
  assert.deepEqual(await anomaly(400), {
    shape: 'bbbbbbbbbbbbbbbb',
    requests: 400,
    sameShape: 0,
    windowMs: anomalyWindowMs,
    rare: true,
  });
  assert.equal((await anomaly(401)).rare, false);
  // It was seen once in 403: rarer than one in 200.
  assert.deepEqual([(await anomaly(403)).sameShape, (await anomaly(403)).rare], [1, true]);
  assert.deepEqual([(await anomaly(100)).requests, (await anomaly(100)).rare], [100, false]);
  const last = await anomaly(404 + anomalyWindowMs / 1000);
  assert.deepEqual([last.requests, last.rare], [0, false], 'what is older than a day does not count');
});

test('the documents of a list, in any order, are counted as each alone', async () => {
  const { correlations } = await search.correlations({ limit: 1000 });
  const some = [...correlations.filter((_, i) => i % 7 < 3), ...correlations.slice(0, 5)];
  const found = await requestAnomalies(search, some);
  some.forEach(({ id, firstAt, shape }, i) => {
    const before = correlations.filter(
      (other) => other.firstAt < firstAt && other.firstAt >= firstAt - anomalyWindowMs * 1000,
    );
    const expected = [before.length, before.filter((other) => other.shape === shape).length];
    assert.deepEqual([found[i]!.requests, found[i]!.sameShape], expected, id);
  });
  assert.deepEqual(await requestAnomalies(search, []), []);
  assert.deepEqual(await requestAnomalies(search, [{ ...some[0]!, shape: '' }]), [undefined]);
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
