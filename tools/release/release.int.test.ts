import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, globSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { manifestsOf } from './set-version.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const { version: current } = read(root, 'package.json');

interface Manifest {
  name: string;
  version: string;
  dependencies?: Record<string, string>;
  packages?: Record<string, Manifest>;
}

function read(folder: string, file: string): Manifest {
  return JSON.parse(readFileSync(join(folder, file), 'utf8')) as Manifest;
}

/** The version in the description of the API. */
function describedVersion(folder: string): string {
  const text = readFileSync(join(folder, 'docs/api/openapi.yaml'), 'utf8');
  return (parse(text, { maxAliasCount: -1 }) as { info: Manifest }).info.version;
}

/** The files that a release reads, in a folder of their own. */
function copyTo(folder: string): void {
  const parts = [
    'package.json',
    'package-lock.json',
    'tsconfig.base.json',
    'docs/api',
    'CHANGELOG.md',
    'LICENSE',
    'tools',
    'clients',
    'infra',
  ];
  const others = ['{apps,libs,services}/*/package.json'].flatMap((pattern) =>
    globSync(pattern, { cwd: root }),
  );
  const filter = (source: string): boolean => !/\/(node_modules|dist|\.stack)$/.test(source);
  for (const part of [...parts, ...others])
    cpSync(join(root, part), join(folder, part), { recursive: true, filter });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
}

const release = (folder: string, ...args: string[]) =>
  run(process.execPath, [join(folder, 'tools/release.ts'), ...args], { cwd: folder });

test('every package of the repository has the same version now', () => {
  for (const file of manifestsOf(root)) assert.equal(read(root, file).version, current, file);
  assert.equal(describedVersion(root), current);
});

test('a release sets one version everywhere and packs the clients', async () => {
  using folder = temporaryFolder('release');
  const copy = folder.path;
  copyTo(copy);
  const next = '77.1.0-rc.2';
  const changelog = join(copy, 'CHANGELOG.md');
  const before = readFileSync(changelog, 'utf8');
  const section = `## [${next}] - not released yet\n\n- Something.\n\n`;
  writeFileSync(changelog, before.replace('## [Unreleased]', `${section}## [Unreleased]`));

  const dryRun = await release(copy, next, '--dry-run');
  assert.match(dryRun.stdout, new RegExp(`would set ${next} in \\d+ files`));
  assert.match(dryRun.stdout, /would pack clients\/bunyan, /);
  assert.equal(read(copy, 'package.json').version, current, 'a dry run writes nothing');
  assert.ok(readFileSync(changelog, 'utf8').includes(section));

  const { stdout } = await release(copy, next, '--out', join(copy, 'packed'));
  assert.match(stdout, /git tag -a v77\.1\.0-rc\.2/);
  assert.match(readFileSync(changelog, 'utf8'), /^## \[77\.1\.0-rc\.2\] - \d{4}-\d\d-\d\d$/m);
  const manifests = manifestsOf(copy);
  assert.ok(manifests.length > 20);
  for (const file of manifests) assertVersion(file, read(copy, file), next);
  const lock = read(copy, 'package-lock.json');
  assert.equal(lock.version, next);
  for (const file of manifests) {
    const path = file === 'package.json' ? '' : dirname(file);
    assertVersion(`lockfile: ${path}`, lock.packages![path]!, next);
  }
  for (const file of globSync('infra/compose/*', { cwd: copy, exclude: ['**/*.ts'] }))
    assert.doesNotMatch(
      readFileSync(join(copy, file), 'utf8'),
      new RegExp(`logloom:${current.replaceAll('.', '\\.')}`),
      file,
    );

  assert.equal(describedVersion(copy), next);

  const packed = readdirSync(join(copy, 'packed')).sort();
  const clients = manifests.filter((file) => file.startsWith('clients/'));
  assert.deepEqual(
    packed,
    clients.map((file) => `logloom-${dirname(file).slice('clients/'.length)}-${next}.tgz`).sort(),
  );
  for (const archive of packed) {
    const unpack = (file: string): string =>
      execFileSync('tar', ['-xzOf', join(copy, 'packed', archive), `package/${file}`], { encoding: 'utf8' });
    assertVersion(archive, JSON.parse(unpack('package.json')) as Manifest, next);
    assert.equal(unpack('LICENSE'), readFileSync(join(root, 'LICENSE'), 'utf8'), archive);
  }
});

test('a version without a section in the changelog, and what is no version, change nothing', async () => {
  using folder = temporaryFolder('release');
  copyTo(folder.path);
  await assert.rejects(release(folder.path, '77.2.0'), (error: Error & { code: number; stderr: string }) => {
    assert.match(error.stderr, /no section ## \[77\.2\.0\]/);
    return error.code === 1;
  });
  for (const args of [['1.2'], ['v1.2.3'], [], ['1.2.3', '1.2.4']])
    await assert.rejects(
      release(folder.path, ...args),
      (error: Error & { code: number }) => error.code === 2,
    );
  assert.equal(read(folder.path, 'package.json').version, current);
});

function assertVersion(what: string, { version, dependencies = {} }: Manifest, expected: string): void {
  assert.equal(version, expected, what);
  for (const [name, wanted] of Object.entries(dependencies))
    if (name.startsWith('@logloom/')) assert.equal(wanted, expected, `${what}: ${name}`);
}
