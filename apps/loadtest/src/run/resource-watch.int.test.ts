import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { epochMs } from '../clock.ts';
import { defaultFaultOptions } from '../faults/check-faults.ts';
import type { Second } from '../result.ts';
import { ResourceWatch } from './resource-watch.ts';

const seconds = [{ viewers: 30 }, { viewers: 40 }] as Second[];

test('memory, descriptors and sockets of a server on this machine are looked at before the first viewer and at the end of each stage', async (t) => {
  const server = spawn(process.execPath, [
    '-e',
    `require('node:net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) })`,
  ]);
  t.after(() => server.kill('SIGKILL'));
  const [port] = (await once(server.stdout, 'data')) as [Buffer];
  const target = {
    viewers: [`http://127.0.0.1:${Number(port)}`],
    sender: [`http://127.0.0.1:${Number(port)}`],
  };
  using watch = new ResourceWatch(target, defaultFaultOptions(), [process.pid]);
  watch.begin(epochMs(), [
    { name: 'first', toS: 1 },
    // Of viewers and of events: both end then.
    { name: 'last', toS: 1.5 },
    { name: 'last too', toS: 1.5 },
  ]);
  const sockets = Array.from({ length: 40 }, () => connect(Number(port), '127.0.0.1'));
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  await eventually('all looks', () => watch.result(seconds)!.looks.length === 3);
  const { hasServer, looks } = watch.result(seconds)!;
  const [before, first, last] = looks as [(typeof looks)[0], (typeof looks)[0], (typeof looks)[0]];
  assert.equal(hasServer, true);
  assert.deepEqual(
    looks.map(({ atS, stage, viewers }) => [atS, stage, viewers]),
    [
      [0, null, 0],
      [1, 'first', 30],
      [1.5, 'last too', 40],
    ],
  );
  for (const side of ['generator', 'server'] as const) {
    assert.ok(before[side]!.memoryBytes > 2 ** 20, JSON.stringify(before));
    assert.ok(first[side]!.descriptors >= before[side]!.descriptors + 40, JSON.stringify(looks));
  }
  assert.ok(last.kernel.tcpSockets >= 80 && last.kernel.objectBytes > 2 ** 20, JSON.stringify(last));
});

test('of a server elsewhere, and of one that is down, nothing is said', () => {
  for (const address of ['http://logs.example.com', 'http://127.0.0.1:1']) {
    using watch = new ResourceWatch({ viewers: [address], sender: [address] }, defaultFaultOptions(), [
      process.pid,
    ]);
    watch.begin(epochMs(), []);
    const { hasServer, looks } = watch.result(seconds)!;
    assert.deepEqual([hasServer, looks.length, looks[0]!.server], [false, 1, null]);
  }
});
