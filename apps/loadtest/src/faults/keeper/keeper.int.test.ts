import { isStopped } from '@logloom/runtime/process-identity';
import { eventually, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { execFileSync, fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { FaultFile } from '../../scenario/read-faults.ts';
import { readFault } from '../../scenario/read-faults.ts';
import type { KeptFault } from '../../scenario/fault-plan.ts';
import { findProcess } from './find-process.ts';
import { checkDisk } from './full-disk.ts';
import type { ToKeeper } from './keeper-messages.ts';
import { KeeperProcess } from './keeper-process.ts';
import { checkNetem, netemArguments } from './netem.ts';
import { undoLeftovers } from './undo-entry.ts';

const folder = temporaryFolder('loadtest-keeper');
const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill('SIGKILL');
});

const faultOf = (file: Partial<FaultFile> & Pick<FaultFile, 'kind'>): KeptFault =>
  readFault({ at: '0s', for: '60s', ...file }) as KeptFault;

function sleeper(): ChildProcess {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' });
  children.push(child);
  return child;
}

async function keeperFor(
  name: string,
  pids: Record<string, number>,
  commands: Record<string, string> = {},
): Promise<{ keeper: KeeperProcess; journal: string }> {
  const journal = join(folder.path, name);
  const keeper = new KeeperProcess();
  after(() => keeper.close());
  await keeper.start({
    run: name,
    folder: journal,
    names: { pids, stackFolder: folder.path, ports: {} },
    commands,
  });
  return { keeper, journal };
}

test('a pause stops a process with its children, is in the journal meanwhile, and is undone at its end', async () => {
  const child = spawn('sh', ['-c', 'sleep 600 & wait'], { stdio: 'ignore', detached: true });
  after(() => process.kill(-child.pid!, 'SIGKILL'));
  const own = `/proc/${child.pid}/task/${child.pid}/children`;
  await eventually('its child runs', () => readFileSync(own, 'utf8').trim() !== '');
  const pids = [child.pid!, Number(readFileSync(own, 'utf8'))];
  const { keeper, journal } = await keeperFor('pause', { it: child.pid! });
  assert.equal(await keeper.begin(1, faultOf({ kind: 'pause', process: 'it' })), null);
  await eventually('both are stopped', () => pids.every(isStopped));
  assert.deepEqual(readdirSync(journal), ['pause.json']);
  assert.deepEqual(undoLeftovers(journal), [], 'what a living keeper undoes is left to it');
  assert.deepEqual(await keeper.end(1), {
    type: 'ended',
    id: 1,
    undone: true,
    detail: 'with 1 of its children',
  });
  assert.ok(!pids.some(isStopped));
  assert.deepEqual(readdirSync(journal), []);
  await keeper.close();
});

test('a keeper whose run is gone undoes all; one that is killed too leaves it to the next run', async () => {
  for (const isKeeperKilled of [false, true]) {
    const child = sleeper();
    const journal = join(folder.path, `gone-${isKeeperKilled}`);
    const keeper = fork(join(import.meta.dirname, 'keeper-main.ts'), { detached: true });
    children.push(keeper);
    const names = { pids: { it: child.pid! }, stackFolder: folder.path, ports: {} };
    const messages: ToKeeper[] = [
      { type: 'start', run: 'gone', folder: journal, names, commands: {} },
      { type: 'begin', id: 1, fault: faultOf({ kind: 'pause', process: 'it' }) },
    ];
    for (const message of messages) keeper.send(message);
    await eventually('it is stopped', () => isStopped(child.pid!));
    if (isKeeperKilled) {
      keeper.kill('SIGKILL');
      await once(keeper, 'exit');
      assert.ok(isStopped(child.pid!));
      assert.deepEqual(undoLeftovers(journal), ['left behind by the run gone: it was continued']);
    } else {
      // What ends a run in a terminal does not end it.
      keeper.kill('SIGINT');
      keeper.kill('SIGTERM');
      keeper.disconnect();
      await once(keeper, 'exit');
    }
    await eventually('it goes on', () => !isStopped(child.pid!));
    assert.deepEqual(readdirSync(journal), []);
  }
});

test('a killed process is started again with its arguments, folder, environment and output', async () => {
  const output = join(folder.path, 'output.txt');
  writeFileSync(output, '');
  const program =
    'console.log(process.pid, process.cwd(), process.argv[1], process.env.COLOR); setInterval(() => {}, 1000)';
  const file = join(folder.path, 'a program.cjs');
  writeFileSync(file, program);
  const shell = `exec ${process.execPath} '${file}' 'two words' >> ${output}`;
  const first = spawn('sh', ['-c', shell], {
    cwd: folder.path,
    env: { COLOR: 'dark blue' },
    stdio: 'ignore',
  });
  children.push(first);
  const lines = (): string[] => readFileSync(output, 'utf8').trim().split('\n');
  await eventually('it has started', () => lines().length === 1 && lines()[0] !== '');
  const { keeper, journal } = await keeperFor('kill', { it: first.pid! });
  const ended = once(first, 'exit');
  for (const [id, signal] of [
    [1, 'SIGKILL'],
    // The second fault finds it under its new number.
    [2, 'SIGTERM'],
  ] as const) {
    assert.equal(await keeper.begin(id, faultOf({ kind: 'kill', process: 'it', signal })), null);
    await ended;
    assert.match(readFileSync(join(journal, 'kill.json'), 'utf8'), /"command": "cd .*two words/);
    assert.doesNotMatch(readFileSync(join(journal, 'kill.json'), 'utf8'), /dark blue/);
    const { undone, detail } = await keeper.end(id);
    assert.ok(undone, detail);
    await eventually('it runs again', () => lines().length === id + 1);
    const [pid, ...same] = lines()[id]!.split(' ');
    assert.equal(detail, `it runs as process ${pid} now`);
    assert.deepEqual(same, lines()[0]!.split(' ').slice(1));
    if (id === 1) continue;
    await keeper.close();
    assert.deepEqual(readdirSync(journal), []);
    process.kill(Number(pid), 'SIGKILL');
  }
});

test('what is not there cannot be hit, nor what runs the load test', async () => {
  const names = { pids: { self: process.pid, init: 1 }, stackFolder: folder.path, ports: {} };
  assert.throws(() => findProcess('kafka-1', names), {
    code: 'fault-unavailable',
    message: /known are self, init/,
  });
  assert.throws(() => findProcess('self', names), { code: 'fault-refused' });
  assert.throws(() => findProcess('init', names), { code: 'fault-refused' });
  const { keeper } = await keeperFor('absent', {});
  assert.match(
    (await keeper.begin(1, faultOf({ kind: 'pause', process: 'it' })))!,
    /no process is called it/,
  );
  await keeper.close();
});

test('what listens on a port is found by it', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const names = { pids: {}, stackFolder: folder.path, ports: { logloom: port } };
  // It is this process, which is refused.
  assert.throws(() => findProcess('logloom', names), {
    code: 'fault-refused',
    message: new RegExp(` ${process.pid}, `),
  });
  server.close();
  await once(server, 'close');
  assert.throws(() => findProcess('logloom', names), {
    code: 'fault-unavailable',
    message: /listens on port/,
  });
});

test('a command is a fault until it ends, and what it says is told; one with an undo is undone', async () => {
  const mark = join(folder.path, 'mark');
  const { keeper, journal } = await keeperFor('command', {}, { deploy: 'echo one; echo two >&2; exit 3' });
  assert.equal(await keeper.begin(1, faultOf({ kind: 'command', command: 'deploy', for: '0s' })), null);
  assert.deepEqual(await keeper.ended(1), { type: 'ended', id: 1, undone: true, detail: 'exit code 3: two' });
  const undo = `rm '${mark}'`;
  assert.equal(
    await keeper.begin(2, faultOf({ kind: 'command', run: `touch '${mark}'; sleep 600`, undo })),
    null,
  );
  await eventually('it has run', () => existsSync(mark));
  const { detail } = await keeper.end(2);
  assert.equal(detail, `ended by SIGTERM; undone by ${undo}`);
  assert.ok(!existsSync(mark));
  assert.deepEqual(readdirSync(journal), []);
  await keeper.close();
});

test('only a small file system of its own is filled, and it is emptied again', async (t) => {
  for (const shared of ['/', folder.path, '/nowhere'])
    await assert.rejects(checkDisk(shared), { code: 'fault-refused' });
  const disk = join(folder.path, 'disk');
  mkdirSync(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'logloom-test', disk], { stdio: 'pipe' });
  } catch {
    return t.skip('this user may not mount a file system');
  }
  try {
    const { keeper } = await keeperFor('disk', {});
    assert.equal(await keeper.begin(1, faultOf({ kind: 'disk-full', folder: disk })), null);
    assert.equal(statfsSync(disk).bavail, 0);
    assert.throws(() => writeFileSync(join(disk, 'more'), 'x'), { code: 'ENOSPC' });
    const { undone, detail } = await keeper.end(1);
    assert.ok(undone, detail);
    assert.match(detail, /^4\d{6} bytes were free, and are again$/);
    writeFileSync(join(disk, 'more'), 'x');
    await keeper.close();
  } finally {
    execFileSync('umount', ['-l', disk]);
  }
});

test('netem is asked for what the scenario says, and a device that is not there is an error', () => {
  const conditions = { latencyMs: 100, jitterMs: 20, loss: 0.01, bytesPerSecond: 1_000 };
  assert.deepEqual(netemArguments(conditions), ['delay', '110ms', '10ms', 'loss', '1%', 'rate', '8000bit']);
  assert.deepEqual(netemArguments({ loss: 0.5 }), ['loss', '50%']);
  assert.throws(() => checkNetem('no-such-device'), { code: 'fault-unavailable', message: /netem needs tc/ });
});
