import { createTelemetry } from '@logloom/telemetry';
import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { test } from 'node:test';
import { MemoryBudget } from '../admission/memory-budget.ts';
import { freeSyslogPort } from '../testing/ingest-harness.ts';
import { UdpServer, type Datagram } from './udp-server.ts';

test('datagrams that wait for the log take a quarter of the memory budget, and none that others have taken', async () => {
  const maxBytes = 40_000;
  const memory = new MemoryBudget(maxBytes);
  const held = Promise.withResolvers<void>();
  const written: string[] = [];
  // A log that takes nothing until `held` resolves.
  const write = async (datagrams: readonly Datagram[]): Promise<void> => {
    await held.promise;
    for (const { bytes } of datagrams) written.push(bytes.toString().split(' ', 1)[0]!);
  };
  const port = await freeSyslogPort();
  const udp = new UdpServer({
    name: 'syslog',
    host: '127.0.0.1',
    port,
    write,
    memory,
    maxEventBytes: 500,
    addresses: undefined,
    onOverQuota: () => {},
    logger: createTelemetry('ingest', 'silent').logger,
  });
  await udp.listen();
  const sender = createSocket('udp4');
  let sent = 0;
  const send = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++)
      await new Promise<void>((resolve) =>
        sender.send(`${sent++} ${'x'.repeat(800)}`, port, '127.0.0.1', () => resolve()),
      );
  };
  await send(20);
  await eventually('datagrams are dropped', () => udp.dropped > 10);
  // Each needs its bytes and 200.
  const fit = 9;
  assert.equal(udp.dropped, 20 - fit);
  assert.ok(memory.usedBytes > (maxBytes / 4) * 0.9 && memory.usedBytes <= maxBytes / 4);

  held.resolve();
  await eventually('the memory is released', () => memory.usedBytes === 0);
  assert.deepEqual(
    written,
    Array.from({ length: fit }, (_, n) => String(n)),
  );

  memory.take(maxBytes - 500);
  await send(1);
  await eventually('a datagram without memory is dropped', () => udp.dropped === 20 - fit + 1);
  memory.release(maxBytes - 500);
  await send(1);
  await eventually('the datagram is written', () => written.length === fit + 1);
  assert.equal(written.at(-1), '21');
  await eventually('the memory is released', () => memory.usedBytes === 0);
  sender.close();
  await udp.stop();
});
