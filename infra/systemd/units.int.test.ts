import { closedPorts, eventually, freePort, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { placeUnit } from './place-unit.ts';
import { environmentOf, readUnit } from './unit-file.ts';

const root = join(import.meta.dirname, '../..');
const services = ['ingest', 'correlator', 'indexer', 'fanout'];
const units = [
  { file: 'logloom.service', name: 'logloom.service', instance: '' },
  ...services.map((instance) => ({
    file: 'logloom@.service',
    name: `logloom@${instance}.service`,
    instance,
  })),
];
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;
const skip = hasSystemd ? false : 'engine missing: systemd-analyze (apt-get install systemd)';

/** As it would be installed, with Node and the sources where they are here. */
function installed(folder: string, { file, name }: (typeof units)[number]): string {
  const path = join(folder, name);
  const text = readFileSync(join(import.meta.dirname, file), 'utf8');
  writeFileSync(path, placeUnit(text, { node: process.execPath, logloom: root, documentation: root }));
  return path;
}

/** Starts what ExecStart says, with its environment; only the data folder and the ports are other ones. */
function start(
  { file, instance }: (typeof units)[number],
  settings: Record<string, string>,
): ChildProcess & { errors: () => string } {
  const unit = readUnit(file, instance);
  const [program, ...args] = unit['Service']!['ExecStart']![0]!.split(' ');
  assert.equal(program, '/usr/bin/node');
  assert.deepEqual(unit['Service']!['WorkingDirectory'], ['/opt/logloom']);
  const { PATH = '' } = process.env;
  const env = { PATH, ...environmentOf(unit), ...settings };
  // A group of its own: what is left of it can be seen.
  const child = spawn(process.execPath, args, {
    cwd: root,
    env,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  return Object.assign(child, { errors: () => errors });
}

test('systemd takes the units as they are, and finds them hardened', { skip }, () => {
  using folder = temporaryFolder('units');
  for (const unit of units) {
    const path = installed(folder.path, unit);
    const verified = spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' });
    assert.deepEqual([verified.status, verified.stderr], [0, ''], unit.name);
  }
  // 20 is an exposure of 2.0 of 10; a unit without any of it has 9.6.
  for (const { name } of units.slice(0, 2)) {
    const args = ['security', '--offline=true', '--threshold=20', '--no-pager', join(folder.path, name)];
    const rated = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
    assert.equal(rated.status, 0, rated.stdout.slice(-500) + rated.stderr);
  }
});

test('a unit waits for the drain, starts what the image starts, and does not repeat a start with wrong settings', async () => {
  const [single, template] = [readUnit('logloom.service'), readUnit('logloom@.service', 'ingest')];
  for (const unit of [single, template]) {
    const service = unit['Service']!;
    // 20 s and LIVE_DRAIN_MS (libs/runtime/src/end-anyway.ts).
    assert.ok(Number(service['TimeoutStopSec']) > 20 + 3);
    assert.deepEqual(service['RestartPreventExitStatus'], ['2']);
    assert.deepEqual([service['KillMode'], service['KillSignal']], [['mixed'], ['SIGTERM']]);
    for (const name of ['MemoryMax', 'StateDirectory', 'TasksMax'])
      assert.equal(service[name]?.length, 1, name);
  }
  assert.deepEqual(
    environmentOf(single)['LOGLOOM_DATA'],
    `/var/lib/${single['Service']!['StateDirectory']![0]}`,
  );
  assert.deepEqual(
    environmentOf(template)['LOGLOOM_DATA'],
    `/var/lib/${template['Service']!['StateDirectory']![0]}`,
  );
  const dockerfile = readFileSync(join(root, 'infra/compose/Dockerfile'), 'utf8');
  const command = JSON.parse(/^CMD (\[.*\])$/m.exec(dockerfile)![1]!) as string[];
  assert.equal(single['Service']!['ExecStart']![0], `/usr/bin/${command.join(' ')}`);
  const compose = readFileSync(join(root, 'infra/compose/compose.yaml'), 'utf8');
  for (const service of services) {
    const [start] = readUnit('logloom@.service', service)['Service']!['ExecStart']!;
    const args = start!.replace('/usr/bin/', '').replaceAll(' ', ', ');
    assert.ok(compose.includes(`command: [${args}]`), service);
    assert.ok(existsSync(join(root, start!.split(' ')[1]!)), service);
  }
  const child = start(units[1]!, { LOGLOOM_DATA: '/nonexistent' });
  const [status] = (await once(child, 'close')) as [number | null];
  assert.deepEqual([status, /KAFKA_BROKERS/.test(child.errors())], [2, true], child.errors());
});

test('what the unit starts serves from its state folder, and drains at TERM: status 0, and nothing of it is left', async () => {
  using folder = temporaryFolder('unit');
  const [ingest, live] = [await freePort(), await freePort()];
  const data = join(folder.path, 'state');
  const settings = {
    LOGLOOM_DATA: data,
    INGEST_PORT: String(ingest),
    LIVE_PORT: String(live),
    ...closedPorts,
  };
  const child = start(units[0]!, settings);
  try {
    await eventually('ready', async () => {
      assert.equal(child.exitCode, null, child.errors());
      return (await fetch(`http://127.0.0.1:${live}/health/ready`)).ok;
    });
    const answer = await fetch(`http://127.0.0.1:${ingest}/ingest`, {
      method: 'POST',
      body: '{"message":"from a unit"}',
      headers: { 'content-type': 'application/x-ndjson' },
    });
    assert.equal(answer.status, 200);
    const exited = once(child, 'exit');
    // KillMode=mixed: the main process alone gets it.
    child.kill('SIGTERM');
    assert.deepEqual(await exited, [0, null], child.errors());
    assert.throws(() => process.kill(-child.pid!, 0), { code: 'ESRCH' }, 'processes are left');
    for (const name of readdirSync(data, { recursive: true, encoding: 'utf8' }))
      assert.equal(statSync(join(data, name)).mode & 0o077, 0, name);
  } finally {
    if (child.exitCode === null) process.kill(-child.pid!, 'SIGKILL');
  }
});
