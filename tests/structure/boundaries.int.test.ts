import { ESLint } from 'eslint';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { before, test } from 'node:test';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '../..');
const boundaryRule = '@nx/enforce-module-boundaries';
let eslint: ESLint;

before(() => {
  eslint = new ESLint({ cwd: root });
});

/** Lints a file with this text in a project's folder and returns the ids of the rules it breaks. */
async function rulesBroken(folder: string, text: string): Promise<string[]> {
  // The type-checked rules read the project from disk, so the file must exist while it is linted. Its name is always the same, so
  // that a run that was killed leaves nothing behind that the next one does not remove.
  const file = join(root, folder, 'boundary-probe.ts');
  writeFileSync(file, text);
  try {
    const [result] = await eslint.lintFiles([file]);
    return result!.messages.map((message) => message.ruleId ?? `no rule: ${message.message}`);
  } finally {
    rmSync(file, { force: true });
  }
}

test('a service must not import another service', async () => {
  const broken = await rulesBroken('services/ingest/src', `import '@logloom/correlator';\n`);
  assert.deepEqual(broken, [boundaryRule]);
});

test('a lib must not import a service', async () => {
  assert.deepEqual(await rulesBroken('libs/event-log/src', `import '@logloom/ingest';\n`), [boundaryRule]);
});

test('the contracts depend on nothing of ours', async () => {
  assert.deepEqual(await rulesBroken('libs/schemas/src', `import '@logloom/filter';\n`), [boundaryRule]);
});

test('another project is imported by its name, not by a relative path', async () => {
  const broken = await rulesBroken('services/ingest/src', `import '../../../libs/event-log/src/index.ts';\n`);
  assert.deepEqual(broken, [boundaryRule]);
});

test('a service may import the libs and the contracts, an app may import a service', async () => {
  const imports = `import '@logloom/event-log';\nimport '@logloom/event-log/contract';\nimport '@logloom/schemas';\n`;
  assert.deepEqual(await rulesBroken('services/ingest/src', imports), []);
  assert.deepEqual(await rulesBroken('apps/logloom/src', `import '@logloom/ingest';\n`), []);
});

test('only tests and what they share may import the library for tests', async () => {
  const text = `import '@logloom/testing';\n`;
  assert.deepEqual(await rulesBroken('services/ingest/src', text), ['no-restricted-imports']);
  assert.deepEqual(await rulesBroken('services/ingest/src/testing', text), []);
});

test('only a composition root reads the environment', async () => {
  const text = `export const host = process.env['HOST'];\n`;
  assert.deepEqual(await rulesBroken('services/ingest/src', text), ['no-restricted-syntax']);
});

test('Nx sees every project', async () => {
  const nx = join(root, 'node_modules/nx/dist/bin/nx.js');
  const { stdout } = await promisify(execFile)(process.execPath, [nx, 'show', 'projects', '--json'], {
    cwd: root,
  });
  const manifests = globSync('{libs,services,apps,clients}/*/package.json', { cwd: root });
  assert.notEqual(manifests.length, 0);
  const names = manifests.map(
    (file) => (JSON.parse(readFileSync(join(root, file), 'utf8')) as { name: string }).name,
  );
  assert.deepEqual((JSON.parse(stdout) as string[]).sort(), names.sort());
  for (const file of manifests) {
    const { nx: config } = JSON.parse(readFileSync(join(root, file), 'utf8')) as { nx: { tags: string[] } };
    assert.match(config.tags.join(), /^type:(contract|lib|service|client|app)$/, dirname(file));
  }
});
