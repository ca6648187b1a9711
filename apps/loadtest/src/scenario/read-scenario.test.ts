import assert from 'node:assert/strict';
import { test } from 'node:test';
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
        'all, service, errors',
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
