import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boundsOf, neighbourOf, otherEvents, sliceOf, slicesWithin } from './slices.ts';

const at = (text: string): number => Date.parse(text) * 1000;
const received = Date.parse('2026-03-15T00:00:00Z');
const slice = (time: string): string => sliceOf({ timestamp: at(time), receivedAt: received });
const neighbour = (time: string): string | undefined =>
  neighbourOf({ timestamp: at(time), receivedAt: received });

test('an event lies in the month of its timestamp', () => {
  assert.equal(slice('2026-03-01T00:00:00Z'), 'events_2026_03');
  assert.equal(slice('2026-02-28T23:59:59.999Z'), 'events_2026_02');
  assert.equal(slice('2016-03-01T00:00:00Z'), 'events_2016_03');
  assert.equal(slice('2026-04-30T00:00:00Z'), 'events_2026_04');
});

test('what lies more than ten years before or a month after its receipt lies with the other strays', () => {
  assert.equal(slice('2016-02-29T23:59:59Z'), otherEvents);
  assert.equal(slice('2026-05-01T00:00:00Z'), otherEvents);
  assert.equal(sliceOf({ timestamp: -1_500_000, receivedAt: received }), otherEvents);
});

test('only an event within a day of the border has a neighbour', () => {
  assert.equal(neighbour('2026-03-01T12:00:00Z'), 'events_2026_02');
  assert.equal(neighbour('2026-02-28T12:00:00Z'), 'events_2026_03');
  assert.equal(neighbour('2026-01-01T00:00:00Z'), 'events_2025_12');
  assert.equal(neighbour('2026-03-15T00:00:00Z'), undefined);
  assert.equal(neighbour('1999-12-31T23:00:00Z'), undefined);
});

test('the slice of an event is among those of every range that holds it, and its bounds hold it', () => {
  const micros = fc.integer({ min: at('1970-01-01'), max: at('2200-01-01') });
  fc.assert(
    fc.property(micros, fc.nat(1e15), fc.nat(1e15), (timestamp, before, after) => {
      const name = sliceOf({ timestamp, receivedAt: Math.floor(timestamp / 1000) });
      const { from, to } = boundsOf(name)!;
      assert.ok(from <= timestamp && timestamp < to);
      assert.deepEqual(slicesWithin([name], timestamp - before, timestamp + 1 + after), [name]);
      assert.deepEqual(slicesWithin([name], to, to + 1 + after), []);
      assert.deepEqual(slicesWithin([name], from - 1 - before, from), []);
    }),
  );
});

test('names that are no months have no bounds', () => {
  assert.equal(boundsOf(otherEvents), undefined);
  assert.deepEqual(slicesWithin(['events_2026_02', otherEvents, 'events_2025_11'], 0, Infinity), [
    'events_2025_11',
    'events_2026_02',
  ]);
});
