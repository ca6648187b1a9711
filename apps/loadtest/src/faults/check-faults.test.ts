import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadScenario, readScenario } from '../scenario/read-scenario.ts';
import { checkFaults, defaultFaultOptions } from './check-faults.ts';
import { explainFaults } from './explain-faults.ts';

const scenarioOf = (...faults: string[]) =>
  readScenario(
    `
viewers: { stages: [{ to: 1, for: 100s }] }
events: { stages: [{ to: 1, for: 100s }] }
faults: [${faults.join(', ')}]
`,
    'mine',
  );
const target = { viewers: ['http://logs.example.com'], sender: ['http://ingest.example.com'] };
const options = defaultFaultOptions();

test('a command is run only if the command line says so', async () => {
  const written = scenarioOf('{ kind: command, at: 5s, run: "rm -r /" }');
  await assert.rejects(checkFaults(written, options, target), {
    code: 'fault-not-allowed',
    message: /"rm -r \/"/,
  });
  await checkFaults(written, { ...options, allowCommands: true }, target);
  const named = scenarioOf('{ kind: command, at: 5s, command: deploy }');
  await assert.rejects(checkFaults(named, options, target), {
    code: 'fault-not-allowed',
    message: /--command 'deploy=…'/,
  });
  await checkFaults(named, { ...options, commands: { deploy: 'true' } }, target);
  const undone = scenarioOf('{ kind: command, at: 5s, command: deploy, undo: "rm x" }');
  await assert.rejects(checkFaults(undone, { ...options, commands: { deploy: 'true' } }, target), {
    code: 'fault-not-allowed',
  });
});

test('all that is missing is told at once: processes of other machines, and TLS that a proxy would break', async () => {
  const scenario = scenarioOf(
    '{ kind: blackhole, at: 5s, for: 1s }',
    '{ kind: reset, at: 5s, on: sender }',
    '{ kind: pause, at: 5s, for: 1s, process: logloom }',
  );
  const secured = { ...target, viewers: [...target.viewers, 'https://logs.example.com'] };
  await assert.rejects(checkFaults(scenario, options, secured), (error: Error) => {
    assert.match(error.message, /^faults\.0: blackhole needs a proxy in front of https:/m);
    assert.match(error.message, /^faults\.2: no process is called logloom/m);
    assert.doesNotMatch(error.message, /faults\.1/);
    return true;
  });
});

test('a client of Kafka goes through no proxy', async () => {
  const scenario = scenarioOf('{ kind: reset, at: 5s, on: sender }');
  await assert.rejects(checkFaults(scenario, options, { ...target, sender: [] }), {
    code: 'fault-unavailable',
  });
});

test('what a scenario’s faults do and need is explained', () => {
  const lines = explainFaults(loadScenario('recovery'));
  assert.match(lines.join('\n'), /100 to 110 s: for 20 % of the viewers nothing passed/);
  assert.match(lines.join('\n'), /220 s: logloom was ended by SIGKILL and started again \(needs logloom/);
  assert.match(lines.at(-1)!, /proxy/);
  assert.deepEqual(explainFaults(loadScenario('baseline')), []);
});
