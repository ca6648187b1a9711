import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readScenario } from '../scenario/read-scenario.ts';
import { estimate } from './estimate.ts';
import { routesTo, thisMachine, tooSmall, type Machine } from './machine-limits.ts';

const large: Machine = { freeMemoryBytes: 2 ** 40, openFiles: 1_000_000, ports: 28_000, cores: 64 };
const ofViewers = (viewers: number, faults = '') =>
  estimate(
    readScenario(
      `
viewers: { stages: [{ to: ${viewers}, for: 100s }], mix: [{ watch: all }] }
events: { stages: [{ to: 10, for: 100s, shape: steps, count: 1 }] }
faults: [${faults}]
`,
      'x',
    ),
    12_500,
  );

test('an estimate of memory, sockets and cores grows with viewers, and with a proxy before them', () => {
  const [few, many] = [ofViewers(1_000), ofViewers(10_000)];
  for (const key of ['memoryBytes', 'kernelBytes', 'sockets', 'cores'] as const)
    assert.ok(many[key] > few[key], key);
  assert.ok(many.memoryBytes < 10 * few.memoryBytes, 'a process takes memory of its own');
  const proxied = ofViewers(1_000, '{ kind: blackhole, at: 5s, for: 1s }');
  assert.deepEqual([few.proxyFiles, proxied.proxyFiles], [0, 2_000]);
  assert.ok(proxied.memoryBytes > few.memoryBytes);
  assert.equal(ofViewers(1_000, '{ kind: reset, at: 5s, on: sender }').proxyFiles, 0);
});

test('what a machine has too little of is said before a run', () => {
  const viewers = ofViewers(60_000, '{ kind: blackhole, at: 5s, for: 1s }');
  assert.deepEqual(tooSmall(viewers, 20, large), []);
  const limits: [Partial<Machine>, RegExp][] = [
    [{ freeMemoryBytes: 2 ** 27 }, /GiB of memory with the kernel's part, and 0\.1 GiB is free/],
    [{ openFiles: 20_000 }, /the proxy of faults has up to 120000 open files, and a process may have 20000/],
    [{ cores: 1 }, /takes about \d\.\d cores at its peak, and this machine has 1/],
  ];
  for (const [machine, text] of limits) {
    const found = tooSmall(viewers, 20, { ...large, ...machine });
    assert.equal(found.length, 1, String(found));
    assert.match(found[0]!, text);
  }
  assert.match(tooSmall(viewers, 1, large).join(), /60000 viewers need a port each, and there are 28000/);
});

test('loopback has more addresses than another machine has', () => {
  assert.equal(routesTo(['http://127.0.0.1:1', 'http://localhost:2']), 40);
  assert.equal(routesTo(['http://127.0.0.1:1', 'http://logs.example.com']), 2);
  const { freeMemoryBytes, openFiles, ports, cores } = thisMachine();
  assert.ok(freeMemoryBytes > 2 ** 20 && openFiles >= 256 && ports >= 1_000 && cores >= 1);
});
