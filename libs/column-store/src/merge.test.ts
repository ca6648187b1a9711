import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextMerge } from './merge.ts';
import type { Slice } from './slice.ts';

const day = 86_400_000_000;

function slice(seq: number, of: number, rows = 5000): Slice {
  return {
    ...{
      seq,
      file: `events-${seq}.parquet`,
      kind: 'events',
      views: 3,
      rows,
      bytes: rows,
      otherIds: 0,
      places: [],
    },
    ...{ fromMicros: of * day + seq, toMicros: of * day + seq, hidden: { search: 0, archive: 0 } },
  };
}

function chosen(slices: readonly Slice[], seq: number): number[] | undefined {
  return nextMerge(slices, seq)?.map((each) => each.seq);
}

test('eight slices of one day and tier are merged', () => {
  const seven = [1, 2, 3, 4, 5, 6, 7].map((seq) => slice(seq, 0));
  assert.equal(chosen(seven, 20), undefined);
  assert.equal(chosen([...seven, slice(8, 1)], 20), undefined);
  assert.equal(chosen([...seven, slice(8, 0, 40_000)], 20), undefined);
  assert.deepEqual(chosen([...seven, slice(8, 0)], 20), [1, 2, 3, 4, 5, 6, 7, 8]);
});

test('what is left of a day is merged when nothing was added to it for long, whatever its tiers', () => {
  const left = [slice(1, 0), slice(2, 0, 40_000), slice(3, 0, 300_000), slice(30, 1)];
  assert.equal(chosen(left, 60), undefined);
  assert.deepEqual(chosen(left, 70), [1, 2]);
  assert.equal(chosen([slice(1, 0), slice(30, 0)], 90), undefined, 'the day goes on');
});

test('eight quiet days with one small slice each become one slice', () => {
  const days = Array.from({ length: 9 }, (_, i) => slice(i + 1, i));
  assert.deepEqual(chosen(days, 100), [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.equal(chosen(days.slice(0, 7), 100), undefined);
  assert.equal(chosen(days, 70), undefined);
  const large = days.map((each) => ({ ...each, rows: 300_000 }));
  assert.equal(chosen(large, 100), undefined);
});

test('a slice of the last tier, and one with more rows than fit, stay as they are', () => {
  const large = Array.from({ length: 8 }, (_, i) => slice(i + 1, 0, 200_000));
  assert.deepEqual(chosen(large, 10), [1, 2, 3, 4, 5]);
});
