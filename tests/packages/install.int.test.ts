import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { clientFolders, packClients } from '../../tools/release/pack-clients.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const clients = clientFolders(root);
/** What a package needs that is not ours. */
function foreign(client: string): string[] {
  return Object.keys(manifest(client).dependencies ?? {}).filter((name) => !name.startsWith('@logloom/'));
}

function tarball(client: string): string {
  return `${manifest(client).name.slice(1).replace('/', '-')}-${manifest(client).version}.tgz`;
}

interface Manifest {
  version: string;
  dependencies?: Record<string, string>;
  name: string;
  files: string[];
  engines: { node: string };
  license: string;
  description: string;
}
const manifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest;

let folder: string;
before(async () => {
  folder = temporaryFolder('install').path;
  const packed = await packClients(root, folder);
  assert.equal(packed.length, clients.length);
  writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}');
  // No registry is asked: a logger is its user's, and what else a package needs is taken from this repository.
  const flags = ['--offline', '--legacy-peer-deps', '--no-audit', '--no-fund'];
  const alone = clients
    .filter((client) => foreign(client).length === 0)
    .map((client) => `./${tarball(client)}`);
  await run('npm', ['install', ...flags, ...alone], { cwd: folder });
  for (const client of clients.filter((client) => foreign(client).length > 0)) {
    const installed = join(folder, 'node_modules', manifest(client).name);
    mkdirSync(installed);
    await run('tar', ['-xzf', tarball(client), '--strip-components=1', '-C', installed], { cwd: folder });
    for (const name of foreign(client))
      symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  }
});
after(() => rmSync(folder, { recursive: true, force: true }));

test('a package says what npm shows of it, and holds no test', () => {
  for (const client of clients) {
    const { name, engines, license, description } = manifest(client);
    const installed = join(folder, 'node_modules', name);
    assert.ok(engines.node !== '' && license !== '' && description !== '', name);
    const files = globSync('**/*', { cwd: installed });
    assert.ok(files.includes('README.md'), `${name} has a README`);
    assert.ok(files.includes('types/index.d.ts'), `${name} has types`);
    assert.deepEqual(
      files.filter((file) => /\.test\.|\.ts$/.test(file) && !file.endsWith('.d.ts')),
      [],
      `${name}: Node strips no types in node_modules`,
    );
    assert.deepEqual(globSync('types', { cwd: join(root, client) }), [], 'packing leaves nothing behind');
  }
});

test('in an empty folder each can be imported by Node', async () => {
  const names = clients.map((client) => manifest(client).name);
  const program = `${names.map((name, i) => `import * as m${i} from '${name}';`).join('\n')}
    console.log(JSON.stringify([${names.map((_, i) => `Object.keys(m${i}).length`).join()}]));`;
  writeFileSync(join(folder, 'use.js'), program);
  const { stdout } = await run(process.execPath, ['use.js'], { cwd: folder });
  const exported = JSON.parse(stdout) as number[];
  assert.ok(exported.every((count) => count > 0));
});

test('TypeScript finds their types', async () => {
  writeFileSync(
    join(folder, 'use.ts'),
    `import { LiveClient, type WatchEntry } from '@logloom/viewer';
     export const client: LiveClient = new LiveClient({ url: 'ws://127.0.0.1:4380/live' });
     for await (const entry of client.watch({ filter: 'level:error' })) {
       const known: WatchEntry = entry;
       if (known.type === 'event') console.log(known.event.message.toUpperCase());
       // @ts-expect-error: a gap has no event
       if (known.type === 'gap') console.log(known.event);
     }
     // @ts-expect-error: the filter is a text
     client.watch({ filter: 1 });
    `,
  );
  const options = {
    noEmit: true,
    strict: true,
    target: 'es2024',
    module: 'nodenext',
    lib: ['es2024', 'dom'],
    types: [],
  };
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: options, files: ['use.ts'] }),
  );
  const tsc = join(root, 'node_modules/.bin/tsc');
  const problems = await run(tsc, ['-p', '.'], { cwd: folder }).then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  );
  assert.equal(problems, '');
});
