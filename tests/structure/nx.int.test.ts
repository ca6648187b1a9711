import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, globSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
/** The test of the boundaries makes and removes it meanwhile. */
const probe = 'boundary-probe.ts';
const sources = globSync('{libs,services,apps,clients}/*/src/**/*.{ts,js}', {
  cwd: root,
  exclude: [`**/${probe}`],
});

function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

/** The repository's files in a repository of their own. */
function copyTo(folder: string): void {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: folder, encoding: 'utf8' });
  const others = ['--others', '--exclude-standard', `--exclude=${probe}`];
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', ...others], { cwd: root });
  for (const file of listed.toString().split('\0'))
    if (file !== '') cpSync(join(root, file), join(folder, file), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  git('init', '-q', '-b', 'main');
  writeFileSync(join(folder, '.git/info/exclude'), 'node_modules\n');
  git('add', '.');
  git('-c', 'user.name=test', '-c', 'user.email=test@example.com', 'commit', '-qm', 'copy');
}

test('a second run is cached, and a change in a lib affects the lib and what depends on it', async () => {
  using folder = temporaryFolder('nx');
  const copy = folder.path;
  copyTo(copy);
  const nx = async (...args: string[]): Promise<string> => {
    const env = { ...process.env, NX_DAEMON: 'false', NX_CACHE_DIRECTORY: join(copy, '.nx/cache') };
    const { stdout } = await run(process.execPath, [join(root, 'node_modules/nx/dist/bin/nx.js'), ...args], {
      cwd: copy,
      env,
    });
    return stdout;
  };
  const runTests = () => nx('run', '@logloom/sqlite:test');
  // What it depends on, the types of the contracts, may come from the cache by itself.
  const allCached = /from the cache instead of running the command for (\d+) out of \1 task/;
  const affected = async () =>
    (await nx('show', 'projects', '--affected', '--with-target', 'test', '--base', 'HEAD'))
      .split('\n')
      .filter((it) => it !== '');

  assert.doesNotMatch(await runTests(), allCached);
  assert.match(await runTests(), allCached);
  assert.deepEqual(await affected(), []);

  writeFileSync(join(copy, 'docs/errors.md'), 'A page that no unit test reads.\n');
  assert.deepEqual(await affected(), []);

  appendFileSync(join(copy, 'libs/sqlite/src/open-database.ts'), '\n// A change.\n');
  const names = await affected();
  for (const name of ['sqlite', 'event-log', 'runtime', 'ingest', 'indexer', 'logloom-app'])
    assert.ok(names.includes(`@logloom/${name}`), `${name} depends on sqlite, directly or not`);
  for (const name of ['schemas', 'filter', 'viewer', 'transport'])
    assert.ok(!names.includes(`@logloom/${name}`), `${name} does not depend on sqlite`);
  assert.doesNotMatch(await runTests(), allCached);
});

test('each package declares what it imports of ours: Nx knows by that what depends on what', () => {
  const missing = globSync('{libs,services,apps,clients}/*/package.json', { cwd: root }).flatMap((file) => {
    const manifest = JSON.parse(textOf(file)) as Record<string, Record<string, string> | undefined> & {
      name: string;
    };
    const declared = { ...manifest['dependencies'], ...manifest['devDependencies'] };
    const imported = sources
      .filter((source) => source.startsWith(`${dirname(file)}/`))
      .flatMap((source) => [...textOf(source).matchAll(/(?:from|import|import\()\s*['"](@logloom\/[\w-]+)/g)])
      .map((match) => match[1]!);
    return [...new Set(imported)]
      .filter((name) => name !== manifest.name && !(name in declared))
      .map((name) => `${file}: ${name}`);
  });
  assert.deepEqual(missing, []);
});

test('a unit test reads nothing of the repository outside its package but what nx.json names', () => {
  const { namedInputs } = JSON.parse(textOf('nx.json')) as { namedInputs: { outside: (string | object)[] } };
  const named = namedInputs.outside.filter((input) => typeof input === 'string');
  const unitTests = sources.filter((file) => file.endsWith('.test.ts') && !file.endsWith('.int.test.ts'));
  const outside = unitTests.flatMap((file) =>
    [...textOf(file).matchAll(/['"`]((?:\.\.\/)+[^'"`$]*)['"`]/g)]
      .map((match) => relative(root, resolve(root, dirname(file), match[1]!)))
      .filter((path) => !path.startsWith(file.split('/', 2).join('/')) && !path.startsWith('../'))
      .filter(
        (path) =>
          !named.some(
            (input) => input === `{workspaceRoot}/${path}` || input === `{workspaceRoot}/${path}/**/*`,
          ),
      )
      .map((path) => `${file}: ${path}`),
  );
  assert.ok(unitTests.length > 50);
  assert.deepEqual(
    outside,
    [],
    'name it in the input `outside` of nx.json, or the test is cached although the file changed',
  );
});
