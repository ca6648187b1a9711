import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { LoadtestError } from '../errors.ts';
import { Ramp } from './ramp.ts';
import { builtInScenarios, loadScenario, readScenario } from './read-scenario.ts';
import type { Scenario } from './scenario.ts';

test('the scenarios that come with Logloom can be run, and say what they are for', () => {
  const names = builtInScenarios();
  for (const name of [
    'quick',
    'full',
    'baseline',
    'moderate',
    'high',
    'extreme',
    'ramp',
    'saturate',
    'spike',
    'churn',
    'recovery',
    'deploy',
  ])
    assert.ok(names.includes(name), name);
  for (const name of names) {
    const scenario = loadScenario(name);
    assert.equal(scenario.name, name);
    assert.match(scenario.description, /\.$/);
    assert.ok(new Ramp(scenario.events.stages).total > 1_000, name);
    assert.ok(new Ramp(scenario.viewers.stages).peak >= 50, name);
  }
});

test('a stage without a value keeps the one before, and a spike returns to it', () => {
  const { events } = readScenario(
    `
viewers: { stages: [{ to: 1, for: 1s }] }
events:
  stages:
    - { to: 10, for: 500ms }
    - { to: 90, for: 1m, shape: spike }
    - { for: 2h }
`,
    'x',
  );
  assert.deepEqual(
    events.stages.map(({ to, seconds }) => [to, seconds]),
    [
      [10, 0.5],
      [90, 60],
      [10, 7200],
    ],
  );
});

test('all problems of a scenario are told at once, each with its place', () => {
  const text = `
viewers: { stages: [{ to: -1, for: 1 parsec }], mix: [{ watch: nothing }] }
events: { stages: [] }
speed: high
`;
  assert.throws(
    () => readScenario(text, 'mine'),
    (error) => {
      assert.ok(error instanceof LoadtestError);
      assert.equal(error.code, 'bad-scenario');
      for (const part of [
        'mine:',
        'viewers.stages.0.to',
        'viewers.stages.0.for',
        'must be one of all, service, errors',
        'line 2: viewers.stages.0.to',
        'line 4: the scenario has an unknown member speed',
        'events.stages',
        'speed',
      ])
        assert.ok(error.message.includes(part), `${part} in ${error.message}`);
      return true;
    },
  );
  assert.throws(() => readScenario('a: [', 'mine'), { code: 'bad-scenario' });
  assert.throws(() => loadScenario('no-such-scenario'), /no scenario no-such-scenario.*baseline/s);
});

const withFaults = (...faults: string[]): Scenario =>
  readScenario(
    `
viewers: { stages: [{ to: 1, for: 100s }] }
events: { stages: [{ to: 1, for: 100s }] }
faults: [${faults.join(', ')}]
`,
    'mine',
  );

test('a fault has what its kind needs, with defaults for the rest', () => {
  const { faults } = withFaults(
    '{ kind: cut, at: 5s, share: 0.5 }',
    '{ kind: network, at: 5s, for: 2s, latency: 100ms, on: sender }',
    '{ kind: kill, at: 1m, process: kafka-1 }',
    '{ kind: clock, at: 5s, for: 2s, offset: -1h }',
    '{ kind: corrupt, at: 5s, for: 2s }',
  );
  const at = { atSeconds: 5, seconds: 2 };
  assert.deepEqual(faults, [
    { ...at, seconds: 0, kind: 'cut', share: 0.5 },
    { ...at, kind: 'network', share: 1, on: 'sender', latencyMs: 100 },
    { atSeconds: 60, seconds: 0, kind: 'kill', process: 'kafka-1', signal: 'SIGKILL', restart: true },
    { ...at, kind: 'clock', offsetMs: -3_600_000 },
    { ...at, kind: 'corrupt', share: 1, on: 'viewers', towards: 'server', rate: 0.01 },
  ]);
});

test('a fault of no kind, without what its kind needs, or that ends too late is told with its place', () => {
  const wrong: [fault: string, problem: RegExp][] = [
    ['{ kind: nothing, at: 5s }', /faults\.0\.kind must be one of cut, .*command/],
    ['{ kind: cut, at: 5s }', /faults\.0 must have required property 'share'/],
    ['{ kind: cut, at: 5s, share: 1, process: it }', /faults\.0 has an unknown member process/],
    ['{ kind: network, at: 5s, for: 2s }', /faults\.0 must have required property 'latency'/],
    ['{ kind: command, at: 5s }', /faults\.0 must have required property 'run'/],
    ['{ kind: pause, at: 99s, for: 2s, process: it }', /faults\.0 ends at 101 s, but the scenario at 100 s/],
  ];
  for (const [fault, message] of wrong)
    assert.throws(() => withFaults(fault), { code: 'bad-scenario', message }, fault);
});

test('viewers of every kind are read', () => {
  const { viewers } = readScenario(
    `
viewers:
  stages: [{ to: 1, for: 1s }]
  mix:
    - { filter: 'level:error', weight: 2, priority: low, compression: true }
    - { watch: all, from: start, readBytesPerSecond: 1000 }
    - { watch: service, from: { tail: 10 } }
    - { watch: errors, from: { last: 2m }, stall: { every: 1m, for: 5s } }
    - { watch: all, sessions: { watch: 30s, think: [{ for: 1s, weight: 3 }, { for: 20s }], resume: now } }
    - { watch: all, sessions: { watch: 30s, think: 2s } }
events: { stages: [{ to: 10, for: 1s }] }
`,
    'x',
  );
  assert.deepEqual(viewers.mix, [
    { weight: 2, watch: 'filter', filter: 'level:error', priority: 'low', compression: true },
    { weight: 1, watch: 'all', from: { kind: 'start' }, readBytesPerSecond: 1_000 },
    { weight: 1, watch: 'service', from: { kind: 'tail', tail: 10 } },
    {
      weight: 1,
      watch: 'errors',
      from: { kind: 'last', lastSeconds: 120 },
      stall: { everySeconds: 60, seconds: 5 },
    },
    {
      weight: 1,
      watch: 'all',
      sessions: {
        watchSeconds: 30,
        think: [
          { weight: 3, seconds: 1 },
          { weight: 1, seconds: 20 },
        ],
        resume: 'now',
      },
    },
    {
      weight: 1,
      watch: 'all',
      sessions: { watchSeconds: 30, think: [{ weight: 1, seconds: 2 }], resume: 'cursor' },
    },
  ]);
});

test('what does not fit together is told with its line', () => {
  const text = `
viewers:
  stages: [{ to: 1, for: 1s }]
  mix:
    - watch: all
      filter: level:error
    - filter: 'level:error AND ('
    - filter: 'offset:[1 TO 5]'
    - { watch: all, stall: { every: 1m, for: 1s }, readBytesPerSecond: 5 }
events:
  services: 3
  replay:
    file: lines.ndjson
    times: 3
`;
  assert.throws(
    () => readScenario(text, 'mine'),
    ({ message }: Error) => {
      for (const part of [
        'line 5: viewers.mix.0 needs either watch or filter',
        'line 7: viewers.mix.1.filter is no filter',
        'line 8: viewers.mix.2.filter asks for offset',
        'line 9: viewers.mix.3 has either stall or readBytesPerSecond',
        'line 11: events needs stages, or a replay with a speed',
        'line 14: events.replay.times needs a speed',
        'line 11: events.services is what the recording says',
      ])
        assert.ok(message.includes(part), `${part} in ${message}`);
      return true;
    },
  );
});

test('a recording is sent in the rhythm in which it was recorded', () => {
  const folder = temporaryFolder('scenario-recording');
  const begin = Date.parse('2026-01-01T00:00:00Z');
  // Two lines at once, then one after 6 s and one after 9 s.
  const lines = [0, 0, 6_000, 9_000].map((ms, i) =>
    JSON.stringify({ time: begin + ms, msg: `line ${i}`, app: 'shop', reqId: `r${i >> 1}` }),
  );
  writeFileSync(join(folder.path, 'lines.ndjson.gz'), gzipSync(lines.join('\n')));
  const { events } = readScenario(
    `
viewers: { stages: [{ to: 1, for: 1s }] }
events: { replay: { file: lines.ndjson.gz, speed: 3, times: 2 } }
`,
    'x',
    folder.path,
  );
  const ramp = new Ramp(events.stages);
  // A round takes the 9 s, and the mean distance of two lines until the next begins, at three times the speed.
  assert.ok(Math.abs(ramp.seconds - 2 * ((9 + 3) / 3)) < 1e-9);
  assert.equal(ramp.total, 8);
  const times = Array.from({ length: 8 }, (_, n) => ramp.timeOf(n + 1));
  for (const [n, seconds] of [0, 0, 2, 3, 4, 4, 6, 7].entries())
    assert.ok(Math.abs(times[n]! - seconds) <= 0.11, `${n}: ${times[n]}`);
  assert.equal(events.replay?.file, join(folder.path, 'lines.ndjson.gz'));
  assert.throws(
    () =>
      readScenario(
        'viewers: { stages: [{ to: 1, for: 1s }] }\nevents: { replay: { file: none.ndjson, speed: 1 } }',
        'x',
        folder.path,
      ),
    /none\.ndjson cannot be read/,
  );
});
