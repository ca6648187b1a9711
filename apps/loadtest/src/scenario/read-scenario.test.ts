import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoadtestError } from '../errors.ts';
import { Ramp } from './ramp.ts';
import { builtInScenarios, loadScenario, readScenario } from './read-scenario.ts';

test('the scenarios that come with Logloom can be run, and say what they are for', () => {
  const names = builtInScenarios();
  for (const name of ['quick', 'full', 'baseline', 'moderate', 'high', 'extreme', 'ramp', 'spike', 'churn'])
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
