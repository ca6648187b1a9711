import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtInScenarios, loadScenario, readScenario } from '../scenario/read-scenario.ts';
import { objectiveProblems } from '../verdict/objective.ts';
import { estimate } from './estimate.ts';
import { objectivesOf } from './judge-run.ts';

test('every scenario that comes with Logloom has objectives that can be judged', () => {
  for (const name of builtInScenarios()) {
    const objectives = objectivesOf(loadScenario(name));
    assert.deepEqual(objectiveProblems(objectives), [], name);
    assert.ok(objectives.some(({ metric }) => metric === 'lost') || loadScenario(name).objectives.length > 0);
  }
});

test('where nobody acknowledges events, no default objective asks what became of those unknown', () => {
  const asked = (events: string): string[] =>
    objectivesOf(
      readScenario(
        `{ viewers: { stages: [{ to: 1, for: 1s }] }, events: { ${events} stages: [{ to: 1, for: 1s }] } }`,
        'x',
      ),
    ).map(({ metric }) => metric);
  assert.ok(asked('receiver: [json, kafka],').includes('ingest-unknown'));
  const bySyslog = asked('receiver: [json, syslog],');
  assert.ok(!bySyslog.includes('ingest-unknown') && bySyslog.includes('lost'));
});

test('an estimate counts each event once for each viewer who watches it', () => {
  const scenario = readScenario(
    `
viewers:
  stages: [{ to: 100, for: 10s, shape: steps, count: 1 }]
  mix: [{ watch: all }, { watch: service }]
events: { services: 10, stages: [{ to: 20, for: 10s, shape: steps, count: 1 }] }
`,
    'x',
  );
  const { seconds, viewers, events, deliveries, processes, openFiles } = estimate(scenario, 60);
  assert.deepEqual([seconds, viewers, events, processes, openFiles], [10, 100, 200, 3, 50]);
  assert.equal(deliveries, 200 * (50 + 50 / 10));
});
