import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { defaultTraffic } from '../scenario/scenario.ts';
import { Traffic, type Watch } from '../traffic/traffic.ts';
import { ExpectedEvents } from './expected.ts';
import { ViewerLedger, type Bounds, type FoundFault } from './viewer-ledger.ts';

const traffic = new Traffic('00c0ffee0123', defaultTraffic);
const watches: Watch[] = [{ kind: 'all' }, { kind: 'errors' }, { kind: 'service', service: 3 }];
const partitions = 8;
const total = 600;

const all: Bounds = { certainFrom: 0, certainBefore: total, isStored: () => true };

interface Delivery {
  n: number;
  partition: number;
  offset: number;
}

/** What a right server sends: each partition in order, partitions interleaved in any way. */
function deliveries(watch: Watch, order: readonly number[]): Delivery[] {
  const queues: Delivery[][] = Array.from({ length: partitions }, () => []);
  for (let n = 0; n < total; n++)
    if (traffic.matches(watch, n)) {
      const partition = traffic.placeOf(n).request % partitions;
      queues[partition]!.push({ n, partition, offset: n });
    }
  const sent: Delivery[] = [];
  for (let i = 0; queues.some(({ length }) => length > 0); i++) {
    const next =
      queues[order[i % order.length]! % partitions]!.shift() ?? queues.find((q) => q.length > 0)?.shift();
    if (next !== undefined) sent.push(next);
  }
  return sent;
}

function check(watch: Watch, sent: readonly Delivery[], announced = 0, bounds = all) {
  const faults: FoundFault[] = [];
  const ledger = new ViewerLedger(new ExpectedEvents(traffic, watch), (fault) => void faults.push(fault));
  for (const { n, partition, offset } of sent) ledger.received(n, partition, offset);
  if (announced > 0) ledger.announced({ from: 'a', to: 'b', missed: announced });
  return { account: ledger.close(bounds), faults };
}

const scene = fc.record({
  watch: fc.constantFrom(...watches),
  order: fc.array(fc.nat(partitions - 1), { minLength: 1, maxLength: 50 }),
  at: fc.double({ min: 0, max: 0.999, noNaN: true }),
});

test('a right server has no fault, in whatever way it interleaves the partitions', () => {
  fc.assert(
    fc.property(scene, ({ watch, order }) => {
      const sent = deliveries(watch, order);
      const { account, faults } = check(watch, sent);
      assert.deepEqual(faults, []);
      assert.deepEqual(account, {
        expected: sent.length,
        received: sent.length,
        announced: 0,
        lost: 0,
        underAnnounced: 0,
        overAnnounced: 0,
      });
    }),
  );
});

test('one event that is left out is lost, unless it is announced; one that is announced for nothing is told', () => {
  fc.assert(
    fc.property(scene, ({ watch, order, at }) => {
      const sent = deliveries(watch, order);
      const [missing] = sent.splice(Math.floor(at * sent.length), 1);
      const { account, faults } = check(watch, sent);
      assert.deepEqual(
        [account.lost, faults.map(({ kind, event }) => [kind, event])],
        [1, [['lost', missing!.n]]],
      );
      const told = check(watch, sent, 1);
      assert.deepEqual([told.account.announced, told.account.lost, told.faults], [1, 0, []]);
      assert.deepEqual(
        check(watch, sent, 2).faults.map(({ kind }) => kind),
        ['overAnnounced'],
      );
    }),
  );
});

test('a gap that announces one too few is told as that, from where it begins', () => {
  fc.assert(
    fc.property(scene, fc.nat(5), ({ watch, order, at }, more) => {
      const sent = deliveries(watch, order);
      const missing = sent.splice(Math.floor(at * (sent.length - 7)), 2 + more);
      const { account, faults } = check(watch, sent, missing.length - 1);
      assert.deepEqual([account.lost, account.underAnnounced, account.announced], [0, 1, missing.length - 1]);
      assert.deepEqual(
        faults.map(({ kind, event, cursor }) => [kind, event, cursor]),
        [['underAnnounced', Math.min(...missing.map(({ n }) => n)), 'a']],
      );
    }),
  );
});

test('what is lost has a cursor from before it was due', () => {
  const faults: FoundFault[] = [];
  const expected = new ExpectedEvents(traffic, { kind: 'all' });
  const ledger = new ViewerLedger(expected, (fault) => void faults.push(fault));
  for (let n = 0; n < total; n++) if (n !== 100) ledger.received(n, 0, n, `before ${n}`);
  ledger.close(all);
  assert.deepEqual(
    faults.map(({ event, cursor }) => [event, cursor]),
    [[100, 'before 101']],
  );
});

test('one that comes twice is a duplicate, and does not hide that another is lost', () => {
  fc.assert(
    fc.property(scene, fc.double({ min: 0, max: 0.999, noNaN: true }), ({ watch, order, at }, then) => {
      const sent = deliveries(watch, order);
      const twice = sent[Math.floor(at * sent.length)]!;
      const from = sent.indexOf(twice) + 1;
      sent.splice(from + Math.floor(then * (sent.length - from + 1)), 0, twice);
      const { account, faults } = check(watch, sent);
      assert.deepEqual(
        [account.lost, faults.map(({ kind, event }) => [kind, event])],
        [0, [['duplicated', twice.n]]],
      );
      const lost = sent.find(({ n }) => n !== twice.n)!;
      const both = check(
        watch,
        sent.filter((each) => each !== lost),
      );
      assert.deepEqual(both.faults.map(({ kind }) => kind).sort(), ['duplicated', 'lost']);
    }),
  );
});

test('two of a partition in the wrong order are told, and two of different partitions are in no order', () => {
  fc.assert(
    fc.property(scene, ({ watch, order, at }) => {
      const sent = deliveries(watch, order);
      const i = Math.floor(at * (sent.length - 1));
      [sent[i], sent[i + 1]] = [sent[i + 1]!, sent[i]!];
      const isSame = sent[i].partition === sent[i + 1]!.partition;
      assert.deepEqual(
        check(watch, sent).faults.map(({ kind, event }) => [kind, event]),
        isSame ? [['disordered', sent[i + 1]!.n]] : [],
      );
    }),
  );
});

test('what a filter does not match is told', () => {
  const sent = deliveries({ kind: 'errors' }, [0]);
  const wrong = Array.from({ length: total }, (_, n) => n).find((n) => !traffic.isError(n))!;
  sent.push({ n: wrong, partition: 0, offset: 10_000 });
  assert.deepEqual(
    check({ kind: 'errors' }, sent).faults.map(({ kind, event }) => [kind, event]),
    [['unexpected', wrong]],
  );
});

test('what was sent before it watched, after it went, or was not stored for certain may come or not', () => {
  fc.assert(
    fc.property(scene, fc.nat(200), fc.nat(200), ({ watch, order }, early, late) => {
      const bounds: Bounds = {
        certainFrom: early,
        certainBefore: total - late,
        isStored: (n) => n % 7 !== 0,
      };
      const isDue = (n: number): boolean => n >= early && n < total - late && n % 7 !== 0;
      const sent = deliveries(watch, order);
      assert.deepEqual(check(watch, sent, 0, bounds).faults, []);
      const due = sent.filter(({ n }) => isDue(n));
      const { account, faults } = check(watch, due, 0, bounds);
      assert.deepEqual([faults, account.expected, account.received], [[], due.length, due.length]);
    }),
  );
});
