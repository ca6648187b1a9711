import type { Source } from '@logloom/schemas';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceKey, SourceWatermarks } from './source-watermarks.ts';

const at = (topic: string, offset: number, index = 0): Source => ({
  kind: 'kafka',
  topic,
  partition: 0,
  offset,
  index,
});

const identity = (s: Source): string => JSON.stringify([s.kind, s.topic, s.partition, s.offset, s.index]);

/** Few sources and small offsets, so that runs, replays and records with several events are common. */
const sourcePartition = fc.record({
  kind: fc.constantFrom('http', 'kafka'),
  topic: fc.constantFrom('a', 'b', 'a/0'),
  partition: fc.integer({ min: 0, max: 2 }),
});

type Positions = readonly (readonly [offset: number, index: number])[];

const plan = fc.tuple(
  sourcePartition,
  fc.uniqueArray(fc.tuple(fc.nat(20), fc.nat(2)), { selector: String, maxLength: 20 }),
  fc.array(fc.tuple(fc.nat(10), fc.nat(10)), { maxLength: 8 }),
);

/** What one source partition sends: ascending positions, and now and then again from an earlier one, as after a lost answer. */
function send(
  partition: Omit<Source, 'offset' | 'index'>,
  positions: Positions,
  steps: readonly (readonly [forward: number, back: number])[],
): Source[] {
  const ascending = positions.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]);
  const sent: Source[] = [];
  let next = 0;
  for (const [forward, back] of steps) {
    for (const [offset, index] of ascending.slice(next, next + forward))
      sent.push({ ...partition, offset, index });
    next = Math.max(0, Math.min(next + forward, ascending.length) - back);
  }
  return sent;
}

const interleaved = fc
  .tuple(
    fc.uniqueArray(plan, { selector: ([partition]) => sourceKey(partition) }),
    fc.infiniteStream(fc.nat()),
  )
  .map(([plans, choices]) => {
    const queues = plans.map((p) => send(...p)).filter((sent) => sent.length > 0);
    const events: Source[] = [];
    while (queues.length > 0) {
      const i = choices.next().value % queues.length;
      events.push(queues[i]!.shift()!);
      if (queues[i]!.length === 0) queues.splice(i, 1);
    }
    return events;
  });

test('admits an event exactly when it was not seen before', () => {
  fc.assert(
    fc.property(interleaved, (events) => {
      const marks = new SourceWatermarks();
      const seen = new Set<string>();
      for (const event of events) {
        assert.equal(marks.admit(event), !seen.has(identity(event)));
        seen.add(identity(event));
      }
    }),
  );
});

test('goes on from its entries as if it had never stopped', () => {
  fc.assert(
    fc.property(interleaved, fc.nat(60), (events, cut) => {
      const whole = new SourceWatermarks();
      const first = new SourceWatermarks();
      for (const event of events.slice(0, cut)) assert.equal(first.admit(event), whole.admit(event));
      const second = new SourceWatermarks(first.entries());
      assert.deepEqual(second.entries(), first.entries());
      for (const event of events.slice(cut)) assert.equal(second.admit(event), whole.admit(event));
      assert.deepEqual(second.entries(), whole.entries());
    }),
  );
});

test('the changes, applied to the entries of before, give the entries', () => {
  fc.assert(
    fc.property(interleaved, fc.nat(60), (events, cut) => {
      const marks = new SourceWatermarks();
      for (const event of events.slice(0, cut)) marks.admit(event);
      marks.takeChanged();
      const state = new Map(marks.entries().map((entry) => [entry[0], entry]));
      for (const event of events.slice(cut)) marks.admit(event);
      for (const entry of marks.takeChanged()) state.set(entry[0], entry);
      const byKey = (a: readonly [string, ...unknown[]], b: readonly [string, ...unknown[]]): number =>
        a[0] < b[0] ? -1 : 1;
      assert.deepEqual([...state.values()].toSorted(byKey), marks.entries().toSorted(byKey));
      assert.deepEqual(marks.takeChanged(), []);
    }),
  );
});

test('tells the events within one record apart', () => {
  const marks = new SourceWatermarks();
  assert.equal(marks.admit(at('a', 5, 0)), true);
  assert.equal(marks.admit(at('a', 5, 1)), true);
  assert.equal(marks.admit(at('a', 5, 1)), false);
  assert.equal(marks.admit(at('a', 5, 0)), false);
  assert.equal(marks.admit(at('a', 6, 0)), true);
  assert.equal(marks.admit(at('a', 5, 2)), false);
});

test('sources that differ in kind, topic or partition do not shadow each other', () => {
  const marks = new SourceWatermarks();
  const source = at('a', 9);
  for (const other of [
    source,
    { ...source, kind: 'http' },
    { ...source, topic: 'b' },
    { ...source, partition: 1 },
  ]) {
    assert.equal(marks.admit(other), true);
    assert.equal(marks.admit({ ...other, offset: 3 }), false);
  }
});

test('forgets the source that was unseen for longest', () => {
  const marks = new SourceWatermarks([], 2);
  marks.admit(at('a', 1));
  marks.admit(at('b', 1));
  marks.admit(at('a', 2));
  marks.admit(at('c', 1));
  assert.deepEqual(marks.entries(), [
    [sourceKey(at('a', 0)), 2, 0],
    [sourceKey(at('c', 0)), 1, 0],
  ]);
  assert.equal(marks.admit(at('a', 2)), false);
  assert.equal(marks.admit(at('b', 1)), true, 'b was forgotten');
});

test('never remembers more than its limit, also from longer entries', () => {
  fc.assert(
    fc.property(interleaved, fc.integer({ min: 1, max: 4 }), (events, limit) => {
      const all = new SourceWatermarks();
      for (const event of events) all.admit(event);
      const marks = new SourceWatermarks(all.entries(), limit);
      assert.deepEqual(marks.entries(), all.entries().slice(-limit));
      for (const event of events) {
        marks.admit(event);
        assert.ok(marks.entries().length <= limit);
        assert.equal(marks.admit(event), false, 'the newest source is always remembered');
      }
    }),
  );
});
