import { correlationToJson, memberDeltas, type Correlation } from '@logloom/schemas';
import { correlationDocument } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeParts, partsOf, wholeOf } from './request-parts.ts';

const minute = 60_000_000;

function part(members: readonly number[], fields: Partial<Correlation> = {}): Correlation {
  const firstOffset = members[0]!;
  return correlationDocument(`0-${firstOffset}`, {
    firstOffset,
    memberDeltas: memberDeltas(members),
    ...fields,
  });
}

function idsOf(documents: readonly Correlation[]): string[] {
  return documents.map(({ id }) => id);
}

test('parts are the documents of one id and partition with no hour of silence between them', () => {
  const parts = [
    part([0, 3], { firstAt: 0, lastAt: 50 * minute }),
    // It is the late events of the part before.
    part([7], { firstAt: minute, lastAt: minute }),
    part([9], { firstAt: 105 * minute, lastAt: 110 * minute }),
  ];
  const others = [
    part([20], { firstAt: 171 * minute, lastAt: 180 * minute }),
    part([1], { partition: 1, id: '1-1' }),
    part([4], { correlationId: 'other' }),
  ];
  for (const each of parts)
    assert.deepEqual(idsOf(partsOf(each, [...others, ...parts.toReversed()])), ['0-0', '0-7', '0-9']);
  assert.deepEqual(idsOf(partsOf(others[0]!, [...others, ...parts])), ['0-20']);
  assert.deepEqual(idsOf(partsOf(parts[0]!, [])), ['0-0'], 'a document that the search does not list yet');
});

test('the whole has the members, counts, services, ids and findings of all parts', () => {
  const first = part([2, 5], {
    firstAt: 10,
    lastAt: 40,
    services: ['web', 'pay'],
    levels: { info: 1, error: 1 },
    rules: ['slow'],
    severity: 'low',
    labels: { team: 'a', area: 'x' },
    ids: ['s1'],
    shape: 'f'.repeat(16),
    closeReason: 'size',
  });
  const second = part([3, 9], {
    firstAt: 5,
    lastAt: 60,
    services: ['pay', 'mail'],
    levels: { info: 2 },
    rules: ['slow', 'lost'],
    severity: 'critical',
    labels: { team: 'b' },
    ids: ['s1', 's2'],
    revision: 2,
  });
  const whole = correlationToJson(wholeOf([first, second], '0-3'));
  const { id, members, firstOffset, eventCount, durationMs, services, levels, errorCount } = whole;
  assert.deepEqual([id, members, firstOffset, eventCount], ['0-3', [2, 3, 5, 9], 2, 4]);
  assert.deepEqual([services, levels, errorCount], [['web', 'pay', 'mail'], { info: 3, error: 1 }, 1]);
  assert.equal(durationMs, 0.055);
  assert.deepEqual([whole.rules, whole.severity], [['slow', 'lost'], 'critical']);
  assert.deepEqual([whole.labels, whole.ids], [{ team: 'b', area: 'x' }, ['c', 's1', 's2']]);
  assert.deepEqual([whole.revision, whole.closeReason, whole.shape], [3, 'idle', 'f'.repeat(16)]);
  assert.equal(wholeOf([first, second]).id, '0-2');
  assert.equal(wholeOf([first], 'c'), first, 'a request of one part is its document');
  assert.deepEqual(
    describeParts([first, second]).map((each) => [each.part, each.previous, each.eventCount]),
    [
      [1, undefined, 2],
      [2, '0-2', 2],
    ],
  );
});
