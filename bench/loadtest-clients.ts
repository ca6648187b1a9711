/**
 * What does a viewer cost the load test itself: memory, a connection, a delivery? Viewers of the load test's generator, with an account each,
 * get what a bare broadcaster in another process sends. Beside it: the same viewers with `ws` as their client.
 * Options: --viewers 2000, --rate 20 (frames/s to each), --seconds 10, --rounds 2.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { printConditions } from './conditions.ts';
import { option } from './live/option.ts';
import type { ClientsReport } from './loadtest/clients.child.ts';

const viewers = option('viewers', 2_000);
const rate = option('rate', 20);
const seconds = option('seconds', 10);

printConditions(`${viewers} viewers in one process, ${rate} frames/s to each, of one event`);
for (let round = 0; round < option('rounds', 2); round++)
  for (const client of round % 2 === 0 ? ['ws', 'lean'] : ['lean', 'ws']) {
    const { connectMicros, deliveryMicros, heapBytes, rssBytes, deliveries } = await measure(client);
    const kilobytes = (bytes: number): string => (bytes / 1_000).toFixed(1);
    console.log(
      `${client.padEnd(4)}: CPU a connection ${connectMicros.toFixed(0)} µs, a delivery ${deliveryMicros.toFixed(1)} µs (${deliveries}); a viewer ${kilobytes(heapBytes)} KB of heap, ${kilobytes(rssBytes)} KB resident`,
    );
  }

async function measure(client: string): Promise<ClientsReport> {
  const server = fork(join(import.meta.dirname, 'loadtest/broadcaster.child.ts'), [String(rate)]);
  const [port] = (await once(server, 'message')) as [number];
  const child = fork(
    join(import.meta.dirname, 'loadtest/clients.child.ts'),
    [client, String(port), String(viewers), String(seconds)],
    { execArgv: ['--expose-gc'] },
  );
  await once(child, 'message');
  server.send('begin');
  const [report] = (await once(child, 'message')) as [ClientsReport];
  child.kill();
  server.kill();
  return report;
}
