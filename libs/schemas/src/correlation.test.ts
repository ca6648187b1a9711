import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { correlationDefaults, correlationToJson, memberDeltas, memberOffsets } from './correlation.ts';
import type { Correlation } from './generated/types.ts';

const ascending = fc
  .uniqueArray(fc.nat({ max: Number.MAX_SAFE_INTEGER }), { minLength: 1 })
  .map((offsets) => offsets.toSorted((a, b) => a - b));

test('memberOffsets is the inverse of memberDeltas', () => {
  fc.assert(
    fc.property(ascending, (offsets) => {
      const deltas = memberDeltas(offsets);
      assert.equal(deltas[0], 0);
      assert.ok(deltas.every((delta) => delta >= 0));
      assert.deepEqual(memberOffsets({ firstOffset: offsets[0]!, memberDeltas: deltas }), offsets);
    }),
  );
});

const correlation: Correlation = {
  id: '2-10',
  correlationId: 'req-1',
  kind: 'requestId',
  revision: 1,
  closeReason: 'idle',
  firstAt: 1_675_079_461_822_717,
  lastAt: 1_675_079_461_823_000,
  services: ['api', 'db'],
  levels: { info: 1, error: 2, fatal: 1 },
  rules: [],
  severity: null,
  partition: 2,
  firstOffset: 10,
  closeOffset: 20,
  closeSequence: 0,
  firstClosedAt: 1_675_079_470_000,
  memberDeltas: [0, 2, 1, 4],
  ...correlationDefaults,
};

test('correlationToJson derives counts, duration and members', () => {
  assert.deepEqual(correlationToJson(correlation), {
    id: '2-10',
    correlationId: 'req-1',
    kind: 'requestId',
    revision: 1,
    closeReason: 'idle',
    firstAt: '2023-01-30T11:51:01.822717Z',
    lastAt: '2023-01-30T11:51:01.823000Z',
    durationMs: 0.283,
    eventCount: 4,
    services: ['api', 'db'],
    levels: { info: 1, error: 2, fatal: 1 },
    errorCount: 3,
    rules: [],
    labels: {},
    ids: ['req-1'],
    partition: 2,
    firstOffset: 10,
    closeOffset: 20,
    members: [10, 12, 13, 17],
  });
});

test('correlationToJson gives a severity only where a rule set one', () => {
  assert.equal('severity' in correlationToJson(correlation), false);
  assert.equal(correlationToJson({ ...correlation, severity: 'high' }).severity, 'high');
});
