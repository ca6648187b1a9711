import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObjectiveResult } from '../result.ts';
import { judge } from './judge.ts';
import type { Measured } from './measured.ts';
import { metrics } from './metrics.ts';
import { defaultObjectives, type Objective } from './objective.ts';
import { normal, seeded } from './testing/random.ts';
import { latency, sampleRun, second } from './testing/sample-run.ts';

const usual = defaultObjectives({ search: true, faults: false });

function steady(ms: number, seconds = 120, seed = 1): number[] {
  const random = normal(seeded(seed));
  return Array.from({ length: seconds }, () => ms * (1 + 0.05 * random()));
}

function only(result: Measured, objective: Objective): ObjectiveResult {
  return judge(result, [objective]).objectives[0]!;
}

const lost = (count: number) => ({ count, viewers: 1, example: null });

test('a sound run is ready, with an A where there is headroom', () => {
  const verdict = judge(sampleRun(steady(40)), usual);
  assert.deepEqual(
    verdict.objectives.filter(({ outcome }) => outcome !== 'met'),
    [],
  );
  assert.deepEqual([verdict.overall, verdict.grade], ['ready', 'A']);
  assert.equal(judge(sampleRun(steady(85)), usual).grade, 'B');
});

test('one lost event fails a run, whatever else it shows', () => {
  const run = sampleRun(steady(40));
  const verdict = judge({ ...run, delivery: { ...run.delivery, lost: lost(1) } }, usual);
  assert.deepEqual([verdict.overall, verdict.grade], ['not-ready', 'F']);
});

test('a latency above its bound is missed by a little or by much', () => {
  assert.equal(judge(sampleRun(steady(115)), usual).grade, 'C');
  assert.equal(judge(sampleRun(steady(300)), usual).grade, 'D');
});

test('data that is missing is never a pass: each metric of an empty run is not shown', () => {
  const empty = sampleRun([]);
  const run: Measured = {
    ...empty,
    delivery: { ...empty.delivery, viewers: { checked: 0, exact: 0 }, expected: 0, received: 0 },
    ingest: { ...empty.ingest, acknowledged: 0, intended: 0 },
    search: null,
    server: null,
    connections: { ...empty.connections, attempted: 0, connected: 0, watching: 0, shouldWatch: 0 },
  };
  const objectives = metrics.map(({ name, kind }) =>
    kind === 'rate' ? { metric: name, atLeast: 1 } : { metric: name, atMost: 1e9 },
  );
  const verdict = judge(run, objectives);
  for (const result of verdict.objectives) {
    assert.equal(result.outcome, 'not-shown', result.metric);
    assert.match(result.reason, /: \w/);
  }
  assert.deepEqual([verdict.overall, verdict.grade], ['not-shown', null]);
  assert.equal(judge(run, []).overall, 'not-shown');
});

test('five blocks do not show a latency, and the reason says how many seconds are missing', () => {
  const result = only(sampleRun(steady(40, 25)), { metric: 'delivery-p95-ms', atMost: 100 });
  assert.equal(result.outcome, 'not-shown');
  assert.match(result.reason, /5 s more/);
});

test('a latency whose interval straddles the bound is not shown, and a longer run is named', () => {
  const random = normal(seeded(5));
  const p95s = Array.from({ length: 60 }, () => 97 * Math.exp(0.3 * random()));
  const run = sampleRun(p95s);
  const result = only(
    { ...run, delivery: { ...run.delivery, latency: latency(50, 97, 120) } },
    { metric: 'delivery-p95-ms', atMost: 100 },
  );
  assert.equal(result.outcome, 'not-shown');
  assert.match(result.reason, /s more|too near/);
  assert.ok(result.smallestChange! > 0);
});

test('a p99 above its bound by a sixth of the run is missed, by a single moment of a long run not shown', () => {
  const bad = (share: number) =>
    steady(40, 300).map((ms, index) => (Math.floor(index / 5) % Math.round(1 / share) === 0 ? 900 : ms));
  const judged = (p95s: number[]) => {
    const run = sampleRun(p95s);
    return only(
      { ...run, delivery: { ...run.delivery, latency: latency(20, 60, 500) } },
      { metric: 'delivery-p99-ms', atMost: 200 },
    ).outcome;
  };
  assert.equal(judged(bad(1 / 6)), 'missed');
  assert.equal(judged(bad(1 / 60)), 'not-shown');
});

/** A run whose generator was at a limit in these seconds. */
function limited(run: Measured, limitedS: number[]): Measured {
  return { ...run, generator: { ...run.generator, limits: ['a process used a whole core'], limitedS } };
}

const firstSeconds = (count: number) => Array.from({ length: count }, (_, atS) => atS);

test('where the generator was the limit nothing but a count is met or missed', () => {
  const run = sampleRun(steady(300));
  const verdict = judge(
    limited({ ...run, delivery: { ...run.delivery, duplicated: lost(2) } }, firstSeconds(7)),
    usual,
  );
  for (const { metric, outcome } of verdict.objectives) {
    const isCount = metrics.find(({ name }) => name === metric)!.kind === 'integrity';
    assert.equal(outcome, metric === 'duplicated' ? 'missed' : isCount ? 'met' : 'not-shown', metric);
  }
  assert.equal(verdict.overall, 'not-ready');
});

test('a generator that was held up for a moment takes nothing from what is met all the same', () => {
  assert.equal(judge(limited(sampleRun(steady(40)), [3, 4, 60]), usual).overall, 'ready');
});

test('a latency that only seconds at a limit of the generator break is not shown; one that the others break, too, is missed', () => {
  const slow = [5, 25, 45, 65, 85, 105];
  const judged = (elsewhereMs: number) => {
    const p95s = steady(elsewhereMs).map((ms, atS) => (slow.includes(atS) ? 3_000 : ms));
    const run = sampleRun(p95s);
    return only(limited({ ...run, delivery: { ...run.delivery, latency: latency(20, 300, 900) } }, slow), {
      metric: 'delivery-p95-ms',
      atMost: 100,
    });
  };
  assert.equal(judged(200).outcome, 'missed');
  const { outcome, reason } = judged(40);
  assert.equal(outcome, 'not-shown');
  assert.match(reason, /whole core\), and without those seconds it is 4\d/);
});

test('a rate that was not reached is not shown where the generator was at a limit, and failures of other seconds still count', () => {
  const timeline = firstSeconds(40).map((atS) => second(atS, 40, { connects: 300, connectFailures: 3 }));
  const run = sampleRun([], {
    timeline,
    connections: { ...sampleRun([]).connections, attempted: 12_120, connected: 12_000, failed: 120 },
  });
  const rate = { metric: 'connects-per-second', atLeast: 500 };
  assert.notEqual(only(limited(run, [9]), rate).outcome, 'met');
  const share = { metric: 'connect-failures-percent', atMost: 0.1 };
  assert.equal(only(run, share).outcome, 'missed');
  assert.equal(only(limited(run, [9]), share).outcome, 'missed');
});

test('a slow recovery is missed, unless the generator was at a limit meanwhile', () => {
  const fault = (endedS: number, recoveredS: number) => ({
    kind: 'cut',
    atS: endedS - 1,
    endedS,
    detectedS: endedS,
    recoveredS,
  });
  const run = sampleRun(steady(40), {
    faults: [fault(10, 50), fault(60, 61)] as unknown as Measured['faults'],
  });
  const recovery = { metric: 'recovery-s', atMost: 30 };
  assert.equal(only(run, recovery).outcome, 'missed');
  assert.equal(only(limited(run, [100]), recovery).outcome, 'missed');
  assert.equal(only(limited(run, [20]), recovery).outcome, 'not-shown');
});

test('latency is judged under the heaviest steady load, so that a ramp before it does not hide it', () => {
  const ramp = Array.from({ length: 60 }, (_, index) => 5 + index / 2);
  const run = sampleRun([...ramp, ...steady(40)]);
  const stage = (fromS: number, toS: number, atStart: number) => ({
    name: '',
    fromS,
    toS,
    viewers: { atStart, atEnd: 1000 },
    eventsSent: 0,
    deliveries: 0,
    deliveryLatency: latency(1),
    connectLatency: latency(1),
  });
  const result = only(
    { ...run, stages: [stage(0, 60, 0), stage(60, 180, 1000)] },
    { metric: 'delivery-p95-ms', atMost: 100 },
  );
  assert.equal(result.outcome, 'met');
  assert.match(result.reason, /24 blocks of 5 s/);
});

test('a rate that nobody asked for is not shown; one that was asked for and not reached is missed', () => {
  const run = (connects: number, connectFailures: number) =>
    sampleRun([], {
      timeline: Array.from({ length: 20 }, (_, atS) => second(atS, 40, { connects, connectFailures })),
    });
  const objective = { metric: 'connects-per-second', atLeast: 500 };
  assert.equal(only(run(500, 0), objective).outcome, 'met');
  assert.equal(only(run(497, 0), objective).outcome, 'met');
  assert.equal(only(run(300, 0), objective).outcome, 'not-shown');
  assert.equal(only(run(300, 300), objective).outcome, 'missed');
});

test('deliveries that were due and came later are a rate that was not reached', () => {
  const run = sampleRun(steady(40, 90));
  const timeline = run.timeline.map((each, index) => ({
    ...each,
    sent: index < 45 ? 10 : 0,
    deliveries: 5000,
  }));
  const late = { ...run, timeline, delivery: { ...run.delivery, expected: 450_000, received: 450_000 } };
  assert.equal(only(late, { metric: 'deliveries-per-second', atLeast: 8000 }).outcome, 'missed');
});

test('no error in a thousand attempts does not show less than 1 in 1,000', () => {
  const run = sampleRun(steady(40));
  const objective = { metric: 'connect-failures-percent', atMost: 0.1 };
  const result = only(run, objective);
  assert.equal(result.outcome, 'not-shown');
  assert.match(result.reason, /at least 3,000/);
  const many = { ...run, connections: { ...run.connections, attempted: 10_000 } };
  assert.equal(only(many, objective).outcome, 'met');
  assert.equal(
    only({ ...many, connections: { ...many.connections, failed: 100 } }, objective).outcome,
    'missed',
  );
});

test('a fault is recovered from in time, too late, or not within what was run', () => {
  const seen = { detectedS: 61, detectedBy: 'readiness', degradedS: null, missing: null, alerts: null };
  const fault = { kind: 'cut', startedS: 60, endedS: 60, ...seen, detail: '', undone: true };
  const outcome = (recoveredS: number | null, durationS = 200) =>
    only(sampleRun(steady(40), { durationS, faults: [{ ...fault, recoveredS }] }), {
      metric: 'recovery-s',
      atMost: 30,
    }).outcome;
  assert.equal(outcome(70), 'met');
  assert.equal(outcome(95), 'missed');
  assert.equal(outcome(null), 'missed');
  assert.equal(outcome(null, 80), 'not-shown');
});

test('a fault that changed nothing is not shown, with what to do about it', () => {
  const unseen = { detectedS: null, detectedBy: null, degradedS: null, recoveredS: null };
  const nothing = { missing: null, alerts: null, detail: '', undone: true };
  const faults = [{ kind: 'network', startedS: 60, endedS: 70, ...unseen, ...nothing }];
  const run = sampleRun(steady(40), { durationS: 200, faults });
  const { outcome, reason } = only(run, { metric: 'recovery-s', atMost: 30 });
  assert.equal(outcome, 'not-shown');
  assert.match(reason, /by the fault network.*make it stronger/);
});

test('what nobody acknowledged is not shown, and no share of what was refused', () => {
  const run = sampleRun(steady(40));
  const told = only(run, { metric: 'ingest-unknown', atMost: 0 });
  assert.equal(told.outcome, 'met');
  const ingest = { ...run.ingest, acknowledges: false, refused: 500 };
  for (const objective of [
    { metric: 'ingest-unknown', atMost: 0 },
    { metric: 'refused-percent', atMost: 100 },
    { metric: 'events-per-second', atLeast: 1 },
  ]) {
    const { outcome, reason } = only({ ...run, ingest }, objective);
    assert.equal(outcome, 'not-shown', objective.metric);
    assert.match(reason, /acknowledges nothing: send events to one that does/);
  }
  const errors = only({ ...run, ingest }, { metric: 'errors-percent', atMost: 100 });
  assert.equal(errors.value, 0);
});

test('objectives that cannot be judged are all named', () => {
  assert.throws(
    () =>
      judge(sampleRun([]), [
        { metric: 'speed', atMost: 1 },
        { metric: 'lost' },
        { metric: 'delivery-p95-ms', atMost: 1, unit: 's' },
      ]),
    /speed.*lost needs one.*in ms, not s/,
  );
});

test('a tighter bound never turns a miss into a pass', () => {
  const order = { missed: 0, 'not-shown': 1, met: 2 };
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1e6 }),
      fc.integer({ min: 20, max: 200 }),
      fc.tuple(fc.integer({ min: 10, max: 300 }), fc.integer({ min: 10, max: 300 })),
      (seed, ms, bounds) => {
        const run = sampleRun(steady(ms, 60, seed));
        const [tight, wide] = bounds
          .toSorted((a, b) => a - b)
          .map((atMost) => order[only(run, { metric: 'delivery-p95-ms', atMost }).outcome]);
        assert.ok(tight! <= wide!);
      },
    ),
  );
});

test('of runs at 90 % of the bound none is called missed, of runs at 110 % none met', () => {
  const called = (ms: number) =>
    new Set(
      Array.from({ length: 200 }, (_, seed) => {
        const random = normal(seeded(seed));
        const p95s = Array.from({ length: 120 }, () => ms * Math.exp(0.2 * random()));
        return only(sampleRun(p95s), { metric: 'delivery-p50-ms', atMost: 50 }).outcome;
      }),
    );
  assert.ok(!called(90).has('missed'));
  assert.ok(!called(110).has('met'));
});
