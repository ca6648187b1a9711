import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Measured } from '../verdict/measured.ts';
import { analyse } from './analyse.ts';
import type { CauseName } from './cause-names.ts';
import { during, syntheticRun } from './testing/synthetic-run.ts';

const silent = { deliveries: 0, acknowledged: 0, p50Ms: null, p95Ms: null, p99Ms: null, maxMs: null };
const late = { p50Ms: 300, p95Ms: 400, p99Ms: 500, maxMs: 600 };
const blind = { serverCpu: null, serverMemoryBytes: null, serverLoopDelayMs: null, serverLoopShare: null };
const seconds = (fromS: number, toS: number): number[] =>
  Array.from({ length: toS - fromS }, (_, i) => fromS + i);

const known: Readonly<Record<CauseName, Measured>> = {
  'connections-cut': syntheticRun(60, during(30, 31, { viewers: 600, disconnects: 400, connects: 400 }), [
    { atS: 30, kind: 'connection-lost', reason: 'ECONNRESET', count: 400 },
  ]),
  'network-slow': syntheticRun(60, during(30, 36, late)),
  'server-slow': syntheticRun(60, during(30, 36, { ...late, serverLoopDelayMs: 400, serverLoopShare: 0.97 })),
  'server-paused': syntheticRun(
    60,
    during(30, 35, { ...silent, ...blind }),
    seconds(30, 35).map((atS) => ({ atS, kind: 'server-unreadable', reason: '/metrics', count: 1 })),
  ),
  'server-stopped': syntheticRun(60, during(30, 35, { ...silent, ...blind, viewers: 0, disconnects: 200 }), [
    { atS: 30, kind: 'connection-lost', reason: 'closed with 1006', count: 1000 },
    { atS: 31, kind: 'connect-failed', reason: 'ECONNREFUSED', count: 1000 },
    { atS: 31, kind: 'server-unreadable', reason: '/metrics', count: 1 },
    { atS: 35, kind: 'server-restarted', reason: '/metrics', count: 1 },
  ]),
  'ingest-refused': syntheticRun(60, during(30, 35, silent), [
    { atS: 30, kind: 'send-failed', reason: '429 overloaded', count: 40 },
    { atS: 32, kind: 'send-failed', reason: '429 overloaded', count: 40 },
  ]),
  'disk-full': syntheticRun(60, during(30, 35, silent), [
    { atS: 30, kind: 'server-disk-short', reason: '/metrics', count: 1 },
    { atS: 31, kind: 'send-failed', reason: '503 disk-full', count: 40 },
  ]),
  'memory-leak': syntheticRun(60, (atS) => ({ serverMemoryBytes: 4e8 + atS * 4e6 })),
  'generator-limit': syntheticRun(
    60,
    during(30, 36, late),
    seconds(30, 36).map((atS) => ({ atS, kind: 'generator-paused', reason: 'event loop', count: 1 })),
  ),
  'machine-busy': syntheticRun(
    60,
    during(30, 36, { ...late, serverLoopDelayMs: 400 }),
    seconds(30, 36).flatMap((atS) => [
      { atS, kind: 'machine-busy', reason: 'other programs', count: 1 },
      { atS, kind: 'generator-paused', reason: 'event loop', count: 1 },
    ]),
  ),
};

for (const [cause, run] of Object.entries(known))
  test(`the signs of ${cause} lead to it, with evidence and what would refute it`, () => {
    const { lead, episodes } = analyse(run, { [cause]: { led: 10, right: 9, interval: [0.6, 0.98] } });
    const [candidate] = episodes.flatMap(({ candidates }) => candidates);
    assert.equal(lead?.cause, cause, JSON.stringify(episodes, null, 1));
    assert.equal(lead.calibration?.right, 9);
    assert.ok(candidate!.evidence.length >= 1 && candidate!.refutedBy.length > 10);
  });

test('a calm run has nothing to explain, and says nothing of a cause', () => {
  const { symptoms, episodes, lead, sequences, addresses } = analyse(syntheticRun(120), {});
  assert.deepEqual(
    { symptoms, episodes, lead, sequences, addresses },
    { symptoms: [], episodes: [], lead: null, sequences: [], addresses: [] },
  );
});

test('what no rule has evidence for is unknown, and so is what nobody measured', () => {
  const wrong = syntheticRun(60, () => ({}), [{ atS: 20, kind: 'duplicated', reason: 'all', count: 3 }]);
  assert.deepEqual(analyse(wrong, {}).lead, { cause: 'unknown', calibration: null });
  const blindAndLate = syntheticRun(60, (atS) => ({ ...blind, ...during(30, 36, late)(atS) }));
  assert.equal(analyse(blindAndLate, {}).lead?.cause, 'unknown');
});

test('a busy machine by itself is nothing to explain, and none to blame for what failed or was at another time', () => {
  const busy = (fromS: number, toS: number) =>
    seconds(fromS, toS).map((atS) => ({
      atS,
      kind: 'machine-busy' as const,
      reason: 'other programs',
      count: 1,
    }));
  assert.equal(analyse(syntheticRun(60, undefined, busy(10, 50)), {}).lead, null);
  const slow = during(30, 36, { ...late, serverLoopDelayMs: 400, serverLoopShare: 0.97 });
  assert.equal(analyse(syntheticRun(60, slow, busy(34, 40)), {}).lead?.cause, 'server-slow');
  assert.equal(analyse(syntheticRun(60, slow, busy(29, 37)), {}).lead?.cause, 'machine-busy');
  assert.equal(
    analyse(syntheticRun(60, slow, busy(1, 60)), {}).lead?.cause,
    'unknown',
    'what is there all the time explains no change, and nobody else is to blame either',
  );
  const stopped = known['server-stopped'];
  const incidents = [...stopped.incidents, ...busy(25, 40).map((each) => ({ ...each, address: null }))];
  assert.equal(analyse({ ...stopped, incidents }, {}).lead?.cause, 'server-stopped');
});

test('a cause that begins after its consequence loses to one that began before', () => {
  const run = syntheticRun(60, (atS) => ({
    ...during(30, 40, late)(atS),
    ...during(37, 40, { serverLoopDelayMs: 400 })(atS),
  }));
  const [first] = analyse(run, {}).episodes;
  const slow = first!.candidates.find(({ cause }) => cause === 'server-slow');
  assert.ok(slow!.evidence.some(({ kind, weight }) => kind === 'time order' && weight < 0));
});

test('a delay is the generator’s where it sent as late, and the server’s event loops were held up at another time', () => {
  const held = during(24, 28, { serverLoopDelayMs: 300 });
  const run = syntheticRun(
    60,
    (atS) => ({ ...held(atS), ...during(30, 36, late)(atS) }),
    seconds(30, 36).map((atS) => ({ atS, kind: 'generator-late', reason: '450 ms', count: 1 })),
  );
  const { lead, episodes } = analyse(run, {});
  assert.equal(lead?.cause, 'generator-limit');
  const [first] = episodes[0]!.candidates;
  assert.ok(first!.evidence.some(({ kind, text }) => kind === 'dose' && text.includes('450 ms')));
});

test('viewers that the scenario itself cuts again and again are no failure, and more than those are', () => {
  const churning = (atS: number) => (atS % 5 === 0 ? { connects: 100, viewers: 950 } : {});
  const run = syntheticRun(60, churning);
  const scenario = { ...run.scenario, churnShare: 0.1 };
  assert.deepEqual(analyse({ ...run, scenario }, {}).symptoms, []);
  assert.ok(analyse(run, {}).symptoms.length > 0);
  const cut = syntheticRun(60, (atS) => (atS === 31 ? { connects: 500, viewers: 500 } : churning(atS)));
  assert.equal(analyse({ ...cut, scenario }, {}).lead?.cause, 'connections-cut');
});

test('what the scenario injected is no evidence', () => {
  const run = syntheticRun(60);
  const fault = {
    kind: 'cut',
    startedS: 30,
    endedS: 30,
    detectedS: 30,
    recoveredS: 31,
    detail: '',
    undone: true,
  };
  assert.equal(analyse({ ...run, faults: [fault] as Measured['faults'] }, {}).lead, null);
});

test('the same run has the same analysis', () => {
  const run = known['server-stopped'];
  assert.deepEqual(analyse(run, {}), analyse(structuredClone(run), {}));
});

test('an episode ends when nothing was wrong for more than five seconds', () => {
  const run = syntheticRun(120, (atS) => ({
    ...during(30, 33, late)(atS),
    ...during(37, 39, late)(atS),
    ...during(60, 62, late)(atS),
  }));
  assert.deepEqual(
    analyse(run, {}).episodes.map(({ fromS, toS }) => [fromS, toS]),
    [
      [30, 39],
      [60, 62],
    ],
  );
});
