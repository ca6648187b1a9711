import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

/** A module of the page, met as a browser meets it: plain JavaScript that tsconfig.page.json checks. */
async function page<Module>(name: string): Promise<Module> {
  return (await import(new URL(`./page/${name}.js`, import.meta.url).href)) as Module;
}

const { filterTerm, narrowFilter, flattenAttributes } = await page<{
  filterTerm: (field: string, value: unknown) => string;
  narrowFilter: (filter: string, term: string) => string;
  flattenAttributes: (value: unknown) => [string, unknown][];
}>('filter-text');
const { parseHash, formatHash } = await page<{
  parseHash: (hash: string) => { view: string; parameters: Record<string, string> };
  formatHash: (view: string, parameters: Record<string, string | undefined>) => string;
}>('location-state');
const { decimalStep, timeTicks } = await page<{
  decimalStep: (span: number, count: number) => number;
  timeTicks: (from: number, to: number, count: number) => { at: number; label: string }[];
}>('time-axis');
const { boundsOf } = await page<{
  boundsOf: (parameters: Record<string, string>, now: number) => { from?: number; to?: number };
}>('time-range');
const { microsOf, formatDuration } = await page<{
  microsOf: (timestamp: string) => number;
  formatDuration: (ms: number) => string;
}>('format');

const { ArrivalRate } = await page<{
  ArrivalRate: new () => { begin(tail: number): void; add(items: number): void; tick(): number | undefined };
}>('arrival-rate');

test('the rate is of what arrives live: the tail does not count, however much of it there is', () => {
  const busy = new ArrivalRate();
  busy.begin(100);
  busy.add(60);
  assert.equal(busy.tick(), undefined);
  busy.add(45);
  assert.equal(busy.tick(), 5);
  busy.add(7);
  assert.equal(busy.tick(), 6);

  const quiet = new ArrivalRate();
  quiet.begin(100);
  quiet.add(8);
  assert.deepEqual([quiet.tick(), quiet.tick(), quiet.tick()], [undefined, undefined, 0]);
  quiet.add(4);
  assert.equal(quiet.tick(), 2);
});

test('a clicked value becomes a term that means exactly it', () => {
  assert.equal(filterTerm('service', 'checkout'), 'service:checkout');
  assert.equal(filterTerm('service', 'pay-api'), 'service:"pay-api"');
  assert.equal(filterTerm('message', 'said "no" \\ twice'), 'message:"said \\"no\\" \\\\ twice"');
  assert.equal(filterTerm('service', 'OR'), 'service:"OR"');
  assert.equal(filterTerm('attributes.a b', 1), 'attributes.a\\ b:1');
});

test('narrowing keeps what the filter meant', () => {
  assert.equal(narrowFilter('', 'level:error'), 'level:error');
  assert.equal(narrowFilter('level:error', 'level:error'), 'level:error');
  assert.equal(narrowFilter('a AND b', 'level:error'), 'a AND b AND level:error');
  assert.equal(narrowFilter('a OR b', 'level:error'), '(a OR b) AND level:error');
  assert.equal(narrowFilter('time out', 'level:error'), '(time out) AND level:error');
});

test('attributes are named by dotted paths, as filters name them', () => {
  assert.deepEqual(flattenAttributes({ http: { status: 500 }, tags: ['a', 'b'], list: [{ x: 1 }] }), [
    ['attributes.http.status', 500],
    ['attributes.tags', ['a', 'b']],
    ['attributes.list.x', 1],
  ]);
});

test('what a link carries comes back the same', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('live', 'search', 'requests', 'alerts'),
      fc.string(),
      fc.string(),
      (view, q, id) => {
        const expected = Object.fromEntries(Object.entries({ q, id }).filter(([, value]) => value !== ''));
        assert.deepEqual(parseHash(formatHash(view, { q, id })), { view, parameters: expected });
      },
    ),
  );
  assert.deepEqual(parseHash('#elsewhere?q=a'), { view: 'live', parameters: { q: 'a' } });
});

test('axis steps cut the span into no more pieces than asked for', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.001, max: 1e12, noNaN: true }),
      fc.integer({ min: 2, max: 20 }),
      (span, count) => {
        assert.ok(span / decimalStep(span, count) <= count * (1 + 1e-9));
        const from = 1_700_000_000_000;
        assert.ok(timeTicks(from, from + Math.ceil(span), count).length <= count + 1);
      },
    ),
  );
});

test('a range stands for its bounds', () => {
  assert.deepEqual(boundsOf({ range: '15m' }, 1_000_000), { from: 100_000, to: 1_000_000 });
  assert.deepEqual(boundsOf({ range: 'all' }, 1_000_000), {});
  assert.deepEqual(boundsOf({ range: 'custom', from: '5' }, 1_000_000), { from: 5 });
});

test('times keep their microseconds', () => {
  assert.equal(microsOf('2023-01-30T11:51:01.822717Z'), 1_675_079_461_822_717);
  assert.equal(microsOf('2023-01-30T11:51:01Z'), 1_675_079_461_000_000);
  assert.equal(formatDuration(0.25), '250 µs');
  assert.equal(formatDuration(90_000), '1 min 30 s');
});
