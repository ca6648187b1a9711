import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { spaceLines } from './space-lines.ts';

const report = {
  topics: { 'logs.events': 412_000_000, 'logs.raw': 16_384 },
  stores: { events: 610_000_000 },
  others: { jobs: 2_500_000 },
  all: 1_024_516_384,
  disk: { size: 252e9, free: 50.9e9, reserve: 67_108_864 },
  growth: null,
  daysLeft: null,
};
const text = (lines: readonly string[]): string[] =>
  lines.map((line) => stripVTControlCharacters(line).trim());

test('what takes most comes first, small files are only in the sum, and an unknown rate is not shown', () => {
  assert.deepEqual(text(spaceLines(report)), [
    'data                     1.0 GB',
    'stores/events          610 MB',
    'logs.events            412 MB',
    'jobs                   2.5 MB',
    'disk                     51 GB of 252 GB free, 67 MB in reserve',
  ]);
});

test('a rate is shown with the time over which it was measured; a full disk is called full', () => {
  const growth = { bytesPerDay: 9_400_000_000, windowSeconds: 5400 };
  assert.equal(
    text(spaceLines({ ...report, growth, daysLeft: 5.4 })).at(-1),
    'growth                   9.4 GB a day (measured over 1.5 h): full in 5.4 days',
  );
  assert.equal(
    text(spaceLines({ ...report, growth: { ...growth, bytesPerDay: -5 }, daysLeft: null })).at(-1),
    'growth                   -5 B a day (measured over 1.5 h)',
  );
  const disk = { ...report.disk, free: 60e6 };
  assert.match(text(spaceLines({ ...report, disk })).at(-1)!, /^disk +full: 60 MB of/);
});
