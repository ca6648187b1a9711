import { eventually, freePort, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildPackage, type BuiltPackage } from './build-package.ts';
import { libraries } from './control-file.ts';
import { AlternativeRoot, whyNoRoot } from './testing/alternative-root.ts';
import { askedOfSystemd, installSystemdStandIn, startUnit } from './testing/systemd-stand-in.ts';

const root = join(import.meta.dirname, '../..');
const folder = temporaryFolder('packages');
const hasDpkg = spawnSync('dpkg-deb', ['--version']).status === 0;
const isFull = process.env['LOGLOOM_FULL'] === '1';
const skip = !isFull
  ? 'a few minutes: LOGLOOM_FULL=1 runs it'
  : hasDpkg
    ? false
    : 'dpkg-deb is not installed';
const skipRoot = skip === false ? (whyNoRoot() ?? false) : skip;
const hasLintian = spawnSync('lintian', ['--version']).status === 0;
const skipLintian = skip === false && !hasLintian ? 'lintian is not installed' : skip;

/** What systemd was told to do, of what it was asked. */
function jobsOf(asked: readonly string[]): string[] {
  return asked.flatMap((line) => /\b(?:start|stop) .*/.exec(line)?.[0] ?? []);
}

const builds: BuiltPackage[] = [];
function build(name: string, out: string): BuiltPackage {
  const date = new Date('2026-01-02T03:04:05Z');
  const options = { architecture: 'amd64', date, compression: 'none' } as const;
  return buildPackage(root, { ...options, build: name, out: join(folder.path, out) });
}

before(() => {
  if (skip === false) builds.push(build('1', 'packages'), build('2', 'packages'));
});
after(() => folder[Symbol.dispose]());

test('the same sources and date make the same bytes, whatever the umask', { skip }, () => {
  const umask = process.umask(0o077);
  try {
    const again = build('1', 'again');
    assert.ok(readFileSync(again.path).equals(readFileSync(builds[0]!.path)));
  } finally {
    process.umask(umask);
  }
});

test('lintian finds no error', { skip: skipLintian }, () => {
  const { status, stdout } = spawnSync('lintian', ['--allow-root', '--fail-on', 'error', builds[0]!.path], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout);
});

test('the package depends on every library that its programs are linked to', { skip }, () => {
  const unpacked = join(folder.path, 'unpacked');
  execFileSync('dpkg-deb', ['--extract', builds[0]!.path, unpacked]);
  const found = spawnSync(
    'sh',
    ['-c', String.raw`find . -name '*.node' -o -name '*.so' -o -path './usr/lib/logloom/bin/node'`],
    {
      cwd: unpacked,
      encoding: 'utf8',
    },
  );
  const packages = new Set<string>();
  for (const file of found.stdout
    .trim()
    .split('\n')
    .filter((path) => !path.includes('musl'))) {
    const linked = execFileSync('ldd', [file], { cwd: unpacked, encoding: 'utf8' });
    assert.doesNotMatch(linked, /not found/, file);
    for (const [, path] of linked.matchAll(/=> (\/\S+)/g)) {
      // A library of the package itself, beside what is linked to it.
      if (path!.startsWith(`${unpacked}/`)) continue;
      // dpkg knows the files by one of their two paths, where /lib is a link to /usr/lib.
      const owners = spawnSync('dpkg', ['-S', path!, path!.replace(/^\/lib/, '/usr/lib')], {
        encoding: 'utf8',
      });
      packages.add(/^([^:]+)/.exec(owners.stdout)![1]!);
    }
  }
  assert.ok(found.stdout.includes('node_modules/@duckdb/node-bindings-linux-x64/libduckdb.so'));
  const declared = libraries.map((dependency) => dependency.split(' ')[0]);
  assert.deepEqual([...packages].sort(), [...declared].sort());
});

test(
  'installed, it serves as the unit says, and events stay through kill, upgrade, removal and purge',
  { skip: skipRoot },
  async () => {
    const [first, second] = builds as [BuiltPackage, BuiltPackage];
    await using machine = await AlternativeRoot.open(join(folder.path, 'packages'));
    await installSystemdStandIn(machine);
    const install = (built: BuiltPackage): Promise<string> =>
      machine.run(`dpkg --install /mnt/${built.path.split('/').at(-1)!} 2>&1`);

    await install(first);
    assert.deepEqual(jobsOf(await askedOfSystemd(machine)), ['start logloom.service']);
    assert.equal(await machine.run('dpkg --verify logloom'), '');
    assert.match(
      await machine.run('systemd-analyze verify --man=no logloom.service 2>&1; getent passwd logloom'),
      /^logloom:/,
    );
    assert.equal(await machine.run('stat -c "%U:%G %a" /etc/logloom/logloom.env'), 'root:logloom 640\n');
    assert.match(await machine.run('logloom --version'), /^\d+\.\d+\.\d+/);
    assert.match(await machine.run('man --local-file /usr/share/man/man1/logloom.1.gz'), /logloom backup/);
    for (const name of ['ingest', 'correlator', 'indexer', 'fanout'])
      await assert.rejects(
        machine.run(`cd /usr/lib/logloom; exec bin/node services/${name}/src/main.ts 2>&1`),
        ({ code, stdout }: { code: number; stdout: string }) =>
          code === 2 && stdout.includes('KAFKA_BROKERS'),
      );

    const [ingest, live] = [await freePort(), await freePort()];
    await machine.run(`cat >>/etc/logloom/logloom.env <<'END'
INGEST_PORT=${ingest}
LIVE_PORT=${live}
SYSLOG_PORT=0
END`);
    assert.match(
      await machine.run('logloom config'),
      new RegExp(`${live}`),
      'the command line has the settings of the service',
    );
    let sent = 0;
    const start = async (): ReturnType<typeof startUnit> => {
      const unit = await startUnit(machine);
      await eventually('ready', async () => {
        assert.equal(unit.process.exitCode, null, unit.errors());
        return (await fetch(`http://127.0.0.1:${live}/health/ready`)).ok;
      });
      return unit;
    };
    const send = async (): Promise<void> => {
      const lines = Array.from({ length: 100 }, () =>
        JSON.stringify({ message: `event ${sent++}`, service: 'deb' }),
      );
      const headers = { 'content-type': 'application/x-ndjson' };
      const response = await fetch(`http://127.0.0.1:${ingest}/ingest`, {
        method: 'POST',
        headers,
        body: lines.join('\n'),
      });
      assert.equal(response.status, 200);
    };
    const allFound = (): Promise<void> =>
      eventually('all events are found', async () => {
        const response = await fetch(`http://127.0.0.1:${live}/api/search?q=service:deb&limit=0`);
        const { total } = (await response.json()) as { total: { value: number } };
        assert.ok(total.value <= sent, 'none twice');
        return total.value === sent;
      });

    let unit = await start();
    await send();
    const killed = once(unit.process, 'exit');
    unit.process.kill('SIGKILL');
    await killed;
    unit = await start();
    await send();
    await allFound();
    assert.match(await machine.run('logloom status'), /\S/);

    const stopped = once(unit.process, 'exit');
    await install(second);
    assert.deepEqual(await stopped, [0, null], `the upgrade drains what runs: ${unit.errors()}`);
    assert.deepEqual(jobsOf(await askedOfSystemd(machine)), [
      'stop logloom.service',
      'start logloom.service',
    ]);
    assert.ok((await machine.run('dpkg-query -W logloom')).includes(second.version));
    assert.match(await machine.run('cat /etc/logloom/logloom.env'), new RegExp(`LIVE_PORT=${live}`));
    unit = await start();
    await send();
    await allFound();

    const data = 'find /var/lib/logloom -type f -size +0 | sort';
    const ended = once(unit.process, 'exit');
    await machine.run('dpkg --remove logloom 2>&1');
    assert.deepEqual(await ended, [0, null], unit.errors());
    const kept = await machine.run(data);
    assert.match(kept, /\/log\//);
    assert.equal(await machine.run('ls /etc/logloom'), 'logloom.env\n');
    assert.match(await machine.run('dpkg --purge logloom 2>&1'), /\/var\/lib\/logloom are kept/);
    assert.equal(await machine.run(data), kept);

    // The account database, dpkg's own, the index of manual pages, and what stands in for systemd.
    const expected =
      /^\/(var\/(lib\/(logloom|dpkg)|cache\/(man|ldconfig)|log\/dpkg\.log)|etc\/(passwd|group|shadow|gshadow|\.pwd\.lock|\.updated)|usr\/bin\/systemctl|usr\/sbin\/policy-rc\.d)/;
    assert.deepEqual(
      (await machine.changes()).filter((path) => !expected.test(path)),
      [],
    );
    await assert.rejects(machine.run('ls -d /usr/lib/logloom /etc/logloom /usr/share/doc/logloom'));
  },
);
