import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { plainFolder, plainManifests } from './plain-manifests.ts';
import { readManifests } from './testing/manifest.ts';

const run = promisify(execFile);
const skip =
  spawnSync('python3', ['-c', 'import kubernetes_validate']).status === 0
    ? false
    : 'engine missing: the schemas of Kubernetes (pip install kubernetes-validate==1.37.0)';

// Newer versions, and what the other files of values make, are checked where Helm is (chart.int.test.ts).
test(
  'the plain manifests are what Kubernetes 1.31 takes, with no field that it does not know',
  { skip },
  async () => {
    const files = Object.keys(plainManifests).map((file) => join(plainFolder, file));
    const args = ['-m', 'kubernetes_validate', '--strict', '-k', '1.31', ...files];
    const { stdout } = await run('python3', args);
    const objects = files.flatMap((file) => readManifests(readFileSync(file, 'utf8')));
    assert.equal(stdout.match(/ passed for resource /g)?.length, objects.length, stdout);
  },
);
