import type { Source } from '@logloom/schemas';
import { temporaryFolder } from '@logloom/testing';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { rmSync } from 'node:fs';
import { DuplicateWindow, duplicateWindowRecords, warmUp, type ReadSources } from './duplicate-window.ts';
import { SqliteEventLog } from './sqlite/sqlite-event-log.ts';

const identity = (s: Source): string => JSON.stringify([s.kind, s.topic, s.partition, s.offset, s.index]);

/** Few of everything, so that repetitions are common; positions in no order, and beyond 32 bits. */
const source: fc.Arbitrary<Source> = fc.record({
  kind: fc.constantFrom('http', 'producer'),
  topic: fc.constantFrom('a', 'b'),
  partition: fc.nat(1),
  offset: fc.oneof(fc.nat(6), fc.constantFrom(2 ** 32, 2 ** 32 + 1, 999_999_999_999_999)),
  index: fc.constantFrom(0, 1, -1),
});

interface Entry {
  offset: number;
  source: Source | undefined;
}

/** A partition: most offsets hold events, some something else or nothing. */
const partition: fc.Arbitrary<Entry[]> = fc
  .tuple(
    fc.constantFrom(0, 1, 5000, 2 ** 31 - 5, 2 ** 32 - 3),
    fc.array(fc.tuple(fc.oneof({ weight: 8, arbitrary: source }, fc.constant(undefined)), fc.nat(6)), {
      maxLength: 120,
    }),
  )
  .map(([start, steps]) => {
    let offset = start;
    return steps.map(([each, step]) => {
      offset += step === 6 ? 5 : 1;
      return { offset, source: each };
    });
  });

/** The definition of a duplicate, word for word. */
function duplicatesOf(entries: readonly Entry[], size: number): number[] {
  return entries
    .filter(
      (entry) =>
        entry.source !== undefined &&
        entries.some(
          (other) =>
            other.source !== undefined &&
            other.offset < entry.offset &&
            other.offset >= entry.offset - size &&
            identity(other.source) === identity(entry.source!),
        ),
    )
    .map(({ offset }) => offset);
}

function decide(window: DuplicateWindow, entries: readonly Entry[]): number[] {
  return entries.flatMap(({ offset, source: each }) =>
    each === undefined || window.admit(each, offset) ? [] : [offset],
  );
}

const size = fc.constantFrom(2, 4, 8, 32, 128);

test('a duplicate is what has the same source within the window, in whatever order the producers wrote', () => {
  fc.assert(
    fc.property(partition, size, (entries, n) => {
      assert.deepEqual(decide(new DuplicateWindow(n), entries), duplicatesOf(entries, n));
    }),
    { numRuns: 1000 },
  );
});

test('a reader that starts anywhere and warms up decides as one that read from the start', () => {
  fc.assert(
    fc.property(partition, size, fc.nat(120), (entries, n, cut) => {
      const at = entries[cut]?.offset ?? 0;
      const window = new DuplicateWindow(n);
      decide(
        window,
        entries.filter(({ offset }) => offset >= at - n && offset < at),
      );
      const later = entries.filter(({ offset }) => offset >= at);
      const whole = duplicatesOf(entries, n).filter((offset) => offset >= at);
      assert.deepEqual(decide(window, later), whole);
    }),
    { numRuns: 1000 },
  );
});

test('thousands of producers that all repeat themselves are distinguished, while the window grows and after', () => {
  const window = new DuplicateWindow();
  const producers = 5000;
  let offset = 0;
  for (const round of [0, 1, 2]) {
    for (let producer = 0; producer < producers; producer++) {
      const each = { kind: 'producer', topic: `p${producer}`, partition: 0, offset: round, index: 7 };
      assert.equal(window.admit(each, offset++), true);
      assert.equal(window.admit({ ...each }, offset++), false);
    }
  }
});

test('producers come and go without end: those that left the window are forgotten', () => {
  const window = new DuplicateWindow(1024);
  const of = (producer: number): Source => ({
    kind: 'http',
    topic: `p${producer}`,
    partition: 0,
    offset: 0,
    index: 0,
  });
  for (let i = 0; i < 20_000; i++) assert.equal(window.admit(of(i), i), true);
  assert.equal(window.admit(of(20_000 - 1025), 20_000), true, 'one further than the window reaches');
  assert.equal(window.admit(of(20_001 - 1024), 20_001), false, 'as far as it reaches');
});

test('offsets have to ascend', () => {
  const window = new DuplicateWindow();
  const any = { kind: 'http', topic: 'a', partition: 0, offset: 0, index: 0 };
  window.admit(any, 5);
  assert.throws(() => window.admit(any, 5), RangeError);
});

const folder = temporaryFolder('window').path;
after(() => rmSync(folder, { recursive: true }));

test('warms up from the log: no further back than the window, no further than the start', async () => {
  const log = new SqliteEventLog(folder);
  after(() => log.close());
  await log.createTopics([{ name: 't', partitions: 2 }]);
  const records = Array.from({ length: 5000 }, (_, i) => ({
    partition: 1,
    key: null,
    value: Buffer.from(i % 10 === 9 ? 'tick' : String(i % 4500)),
  }));
  await log.append('t', records);
  let first = Infinity;
  const readSources: ReadSources = async (read) =>
    read.map(({ value, offset }) => {
      first = Math.min(first, offset);
      const text = value.toString();
      return text === 'tick'
        ? undefined
        : { kind: 'http', topic: 'a', partition: 0, offset: Number(text), index: 0 };
    });
  const sourceAt = (offset: number): Source => ({ kind: 'http', topic: 'a', partition: 0, offset, index: 0 });
  const place = { log, topic: 't', partition: 1 };
  const whole = await warmUp(place, 4600, readSources);
  assert.equal(first, 0);
  assert.deepEqual([whole.admit(sourceAt(100), 4600), whole.admit(sourceAt(4510), 4601)], [false, true]);
  first = Infinity;
  const short = await warmUp(place, 4600, readSources, 2048);
  assert.equal(first, 4600 - 2048);
  assert.deepEqual([short.admit(sourceAt(100), 4600), short.admit(sourceAt(3000), 4601)], [true, false]);
  assert.equal((await warmUp(place, 0, readSources)).admit(sourceAt(0), 0), true);
  assert.ok(duplicateWindowRecords >= 65_536);
});
