import { AggregatorRegistry, Registry } from 'prom-client';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lintMetrics, parseMetrics } from '../testing/metrics-text.ts';
import { createAll } from './create-all.ts';
import { combinations, counter, declareMetrics, gauge, histogram } from './declare-metrics.ts';

const unit = 'events';
const help = 'Events';
const buckets = [1, 2];

test('a declaration that breaks the conventions is refused, and says why', () => {
  const wrong: [metric: Parameters<typeof declareMetrics>[1][string], why: RegExp][] = [
    [counter({ name: 'logloom_events', unit, help }), /_total/],
    [gauge({ name: 'logloom_events_total', unit, help }), /_total/],
    [gauge({ name: 'events', unit, help }), /no name of a metric/],
    [gauge({ name: 'logloom_wait_ms', unit: 'ms', help }), /base unit/],
    [gauge({ name: 'logloom_wait', unit: 'seconds', help }), /seconds as its unit/],
    [gauge({ name: 'logloom_wait_seconds', unit: 'events', help }), /events as its unit/],
    [counter({ name: 'logloom_sent_total', unit: 'bytes', help }), /bytes as its unit/],
    [histogram({ name: 'logloom_events_count', unit, help, buckets }), /word of the format/],
    [gauge({ name: 'logloom_events', unit, help: '' }), /help/],
    [gauge({ name: 'logloom_events', unit, help: 'Events.' }), /help/],
    [gauge({ name: 'logloom_events', unit, help, labels: { job: 'the job' } }), /label/],
    [gauge({ name: 'logloom_events', unit, help, labels: { kind: '' } }), /label/],
  ];
  for (const [metric, why] of wrong) assert.throws(() => declareMetrics('libs/x', { metric }), why);
});

const declared = declareMetrics('libs/x', {
  taken: counter({ name: 'logloom_taken_total', unit, help, labels: { kind: 'the kind' } }),
  open: gauge({ name: 'logloom_open', unit, help, aggregator: 'max' }),
});

test('what is created twice in a registry is one metric, and another in another registry', async () => {
  const [registry, other] = [new Registry(), new Registry()];
  createAll(declared, registry).taken.inc({ kind: 'a' }, 2);
  declared.taken.create(registry).inc({ kind: 'a' });
  declared.taken.create(other).inc({ kind: 'a' });
  assert.match(await registry.metrics(), /^logloom_taken_total\{kind="a"\} 3$/m);
  assert.match(await other.metrics(), /^logloom_taken_total\{kind="a"\} 1$/m);
});

test('what is observed is read at each scrape, from all that observe it, and is absent while nothing is known', async () => {
  const registry = new Registry();
  let known: number | undefined;
  declared.open.observe(registry, (set) => {
    if (known !== undefined) set(known);
  });
  declared.taken.observe(registry, (set) => set(5, { kind: 'a' }));
  declared.taken.observe(registry, (set) => set(7, { kind: 'b' }));
  assert.doesNotMatch(await registry.metrics(), /^logloom_open /m);
  known = 3;
  for (let i = 0; i < 2; i++) {
    const text = await registry.metrics();
    assert.match(text, /^logloom_open 3$/m);
    assert.match(text, /^logloom_taken_total\{kind="a"\} 5\nlogloom_taken_total\{kind="b"\} 7$/m);
  }
  known = undefined;
  assert.doesNotMatch(await registry.metrics(), /^logloom_open /m);
});

test('series of known labels are 0 before anything is counted, whether it is counted or observed', async () => {
  const known = combinations({ kind: ['a', 'b'], of: ['x', 'y'] });
  const labels = { kind: 'the kind', of: 'the other' };
  const counted = counter({ name: 'logloom_counted_total', unit, help, labels, known });
  const observed = counter({ name: 'logloom_observed_total', unit, help, labels, known });
  const registry = new Registry();
  counted.create(registry).inc({ kind: 'a', of: 'y' });
  observed.observe(registry, (set) => set(3, { kind: 'b', of: 'x' }));
  const text = await registry.metrics();
  for (const [name, kind, of, value] of [
    ['counted', 'a', 'x', 0],
    ['counted', 'a', 'y', 1],
    ['counted', 'b', 'y', 0],
    ['observed', 'a', 'x', 0],
    ['observed', 'b', 'x', 3],
  ] as const)
    assert.ok(text.includes(`logloom_${name}_total{kind="${kind}",of="${of}"} ${value}\n`), text);
});

test('values of several processes are joined as declared', async () => {
  const registries = [4, 9].map((value) => {
    const registry = new Registry();
    declared.open.create(registry).set(value);
    declared.taken.create(registry).inc({ kind: 'a' }, value);
    return registry;
  });
  const all = await Promise.all(registries.map((registry) => registry.getMetricsAsJSON()));
  const text = await AggregatorRegistry.aggregate(all).metrics();
  assert.match(text, /^logloom_open 9$/m);
  assert.match(text, /^logloom_taken_total\{kind="a"\} 13$/m);
});

test('a weighted histogram is, alone and joined, the histogram of as many observations', async () => {
  const ages = histogram({
    name: 'logloom_age_seconds',
    unit: 'seconds',
    help: 'Age',
    labels: { stage: 'the stage' },
    buckets: [0.1, 1, 10],
  });
  const [weighted, single] = [new Registry(), new Registry()];
  const [a, b] = [ages.weighted(weighted, { stage: 'sent' }), ages.create(single)];
  for (const [value, weight] of [
    [0, 2],
    [0.1, 3],
    [0.5, 1],
    [10.5, 4],
  ] as const) {
    a.add(value, weight);
    for (let i = 0; i < weight; i++) b.observe({ stage: 'sent' }, value);
  }
  const values = async (registry: Registry) =>
    new Map(
      [...parseMetrics(await registry.metrics()).values()].flatMap(({ samples }) =>
        samples.map(({ name, labels, value }) => [
          `${name} ${labels.split(',').toSorted().join()}`,
          Number(value.toFixed(9)),
        ]),
      ),
    );
  assert.deepEqual(await values(weighted), await values(single));
  const twice = AggregatorRegistry.aggregate([
    await weighted.getMetricsAsJSON(),
    await weighted.getMetricsAsJSON(),
  ]);
  assert.match(await twice.metrics(), /^logloom_age_seconds_bucket\{le="\+Inf",stage="sent"\} 20$/m);
  assert.deepEqual(lintMetrics(parseMetrics(await twice.metrics())), []);
});

test('the lint of scraped text finds what breaks the conventions', () => {
  const text =
    '# HELP wait_ms W\n# TYPE wait_ms gauge\nwait_ms 1\n# HELP a_total A\n# TYPE a_total gauge\na_total{b="c"} 2\n';
  assert.deepEqual(lintMetrics(parseMetrics(text)), [
    'wait_ms is no name by the conventions',
    'a_total is a gauge',
  ]);
  assert.throws(() => parseMetrics('a 1\n'), /no HELP/);
  assert.throws(() => parseMetrics('# HELP a A\na 1\n'), /no TYPE/);
});
