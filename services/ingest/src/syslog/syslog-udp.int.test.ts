import { createTelemetry } from '@logloom/telemetry';
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { MemoryBudget } from '../admission/memory-budget.ts';
import { freeSyslogPort } from '../testing/ingest-harness.ts';
import { SyslogUdp } from './syslog-udp.ts';
import type { ReceivedFrame, SyslogWriter } from './syslog-writer.ts';

const deadlineMs = 60_000;

async function until(condition: () => boolean, what: string): Promise<void> {
  for (const deadline = performance.now() + deadlineMs; !condition(); await sleep(5))
    assert.ok(performance.now() < deadline, what);
}

test('datagrams that wait for the log take a quarter of the memory budget, and none that others have taken', async () => {
  const maxBytes = 40_000;
  const memory = new MemoryBudget(maxBytes);
  const held = Promise.withResolvers<void>();
  const written: string[] = [];
  // A log that takes nothing until `held` resolves.
  const writer = {
    write: async (frames: readonly ReceivedFrame[]) => {
      await held.promise;
      for (const { bytes } of frames) written.push(bytes.toString().split(' ', 1)[0]!);
    },
  } as unknown as SyslogWriter;
  const port = await freeSyslogPort();
  const udp = new SyslogUdp({
    host: '127.0.0.1',
    port,
    writer,
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
  await until(() => udp.dropped > 10, 'nothing was dropped');
  await sleep(50);
  // Each needs its bytes and 200.
  const fit = 9;
  assert.equal(udp.dropped, 20 - fit);
  assert.ok(memory.usedBytes > (maxBytes / 4) * 0.9 && memory.usedBytes <= maxBytes / 4);

  held.resolve();
  await until(() => memory.usedBytes === 0, 'the memory was not released');
  assert.deepEqual(
    written,
    Array.from({ length: fit }, (_, n) => String(n)),
  );

  memory.take(maxBytes - 500);
  await send(1);
  await until(() => udp.dropped === 20 - fit + 1, 'a datagram took memory that others have');
  memory.release(maxBytes - 500);
  await send(1);
  await until(() => written.length === fit + 1, 'the datagram was not written');
  assert.equal(written.at(-1), '21');
  await until(() => memory.usedBytes === 0, 'the memory was not released');
  sender.close();
  await udp.stop();
});
