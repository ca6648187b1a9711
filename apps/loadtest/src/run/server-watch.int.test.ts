import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { ServerWatch } from './server-watch.ts';

const metrics = ({ free = 50 } = {}, seconds = 0): string =>
  `process_cpu_seconds_total ${seconds}
logloom_start_timestamp_seconds{thread="a"} 1795878278.559
process_resident_memory_bytes 1000
nodejs_eventloop_lag_p99_seconds{thread="a"} 0.002
nodejs_eventloop_lag_p99_seconds{thread="b"} 0.05
logloom_event_loop_active_seconds_total{thread="a"} ${seconds}
logloom_event_loop_active_seconds_total{thread="b"} 0
logloom_disk_free_bytes ${free}
logloom_disk_reserve_bytes 10
`;

test('a look says what changed since the one before, and nothing where it cannot know', async (t) => {
  let text: string | undefined = metrics();
  const server = createServer((_, response) => {
    response.writeHead(text === undefined ? 503 : 200).end(text);
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const watch = new ServerWatch([`http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`]);

  assert.deepEqual(watch.startsS, []);
  const first = await watch.look();
  assert.deepEqual(watch.startsS, [1795878278.559]);
  assert.deepEqual(first, {
    cpuShare: null,
    memoryBytes: 1000,
    loopDelayMs: 50,
    loopShare: null,
    heaps: [],
    incidents: [],
  });
  text = metrics({}, 1e-4);
  const second = await watch.look();
  assert.ok(second.cpuShare! > 0 && second.loopShare! > 0 && second.loopShare! <= 1);

  text = undefined;
  assert.deepEqual((await watch.look()).incidents, ['server-unreadable']);
  text = metrics({ free: 5 }, 1e-5);
  const restarted = await watch.look();
  assert.deepEqual(restarted.incidents, ['server-restarted', 'server-disk-short']);
  assert.equal(restarted.cpuShare, null);
  assert.deepEqual((await new ServerWatch([]).look()).incidents, []);
});
