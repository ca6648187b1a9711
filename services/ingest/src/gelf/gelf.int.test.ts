import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { MemoryBudget } from '../admission/memory-budget.ts';
import {
  freeSyslogPort,
  readDeadLetters,
  readEvents,
  startForTest,
  temporaryFolder,
} from '../testing/ingest-harness.ts';
import { GelfChunks } from './gelf-chunks.ts';

const message = (text: string, more: object = {}): string =>
  JSON.stringify({
    version: '1.1',
    host: 'h1',
    short_message: text,
    timestamp: 1_767_225_600.123,
    level: 4,
    _service: 'pay',
    ...more,
  });

function chunksOf(bytes: Buffer, id: string, size: number): Buffer[] {
  const count = Math.ceil(bytes.length / size);
  return Array.from({ length: count }, (_, i) =>
    Buffer.concat([
      Buffer.from([0x1e, 0x0f]),
      Buffer.from(id.padEnd(8).slice(0, 8)),
      Buffer.from([i, count]),
      bytes.subarray(i * size, (i + 1) * size),
    ]),
  );
}

test('UDP as it is, packed and in chunks; TCP with NULs and newlines; HTTP', async () => {
  using folder = temporaryFolder();
  {
    const port = await freeSyslogPort();
    await using service = await startForTest(folder.path, { GELF_PORT: String(port) });
    await using socket = createSocket('udp4');
    const long = Buffer.from(message('chunked', { full_message: 'x'.repeat(5000) }));
    const datagrams = [
      Buffer.from(message('plain')),
      gzipSync(message('gzip')),
      deflateSync(message('zlib')),
      ...chunksOf(gzipSync(long), 'a', 20).reverse(),
      Buffer.from([0x1e, 0x0f, 1]),
      Buffer.from('{"broken'),
    ];
    for (const bytes of datagrams) socket.send(bytes, port, '127.0.0.1');
    const tcp = connect(port, '127.0.0.1').resume();
    tcp.end(`${message('nul')}\0${message('newline')}\n${message('the last')}`);
    await once(tcp, 'close');
    const response = await fetch(`${service.address}/gelf`, { method: 'POST', body: message('http') });
    assert.equal(response.status, 202);
    const { sumOf } = service;
    await eventually('all are stored', async () => (await sumOf('logloom_ingest_events_total')) === 8);
    await eventually(
      'the broken one too',
      async () => (await sumOf('logloom_ingest_rejected_events_total')) === 1,
    );
  }
  const events = await readEvents(folder.path);
  assert.deepEqual(events.map(({ message }) => message).sort(), [
    'chunked',
    'gzip',
    'http',
    'newline',
    'nul',
    'plain',
    'the last',
    'zlib',
  ]);
  for (const { timestamp, level, service, host } of events)
    assert.deepEqual([timestamp, level, service, host], [1_767_225_600_123_000, 'warn', 'pay', 'h1']);
  assert.deepEqual(
    (await readDeadLetters(folder.path)).map(({ code }) => code),
    ['bad-json'],
  );
});

test('messages whose parts do not come give their memory back', () => {
  const memory = new MemoryBudget(160_000);
  let dropped = 0;
  const chunks = new GelfChunks(memory, () => dropped++);
  const part = (id: number): Buffer => chunksOf(Buffer.alloc(2000), String(id), 1000)[0]!;
  for (let id = 0; id < 100; id++) assert.equal(chunks.take(part(id), 'a', 0), undefined);
  assert.ok(dropped > 80 && memory.usedBytes <= 10_000 + 1500);
  chunks.take(Buffer.from('{}'), 'a', 6000);
  assert.deepEqual([dropped, memory.usedBytes], [100, 0]);
  chunks.take(part(1), 'a', 6000);
  chunks.close();
  assert.equal(memory.usedBytes, 0);
});

test('places of parts count, and their memory returns when nothing comes any more', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const memory = new MemoryBudget(16 * 2 ** 20);
  let dropped = 0;
  const chunks = new GelfChunks(memory, () => dropped++);
  const now = performance.now();
  const first = Buffer.from([0x1e, 0x0f, 1, 2, 3, 4, 5, 6, 7, 8, 0, 128]);
  chunks.take(first, 'a', now - 6000);
  assert.ok(memory.usedBytes > 128 * 8, 'the places count before their parts come');
  t.mock.timers.tick(5000);
  assert.deepEqual([dropped, memory.usedBytes], [1, 0]);
});
