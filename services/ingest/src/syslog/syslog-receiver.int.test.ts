import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  freeSyslogPort,
  readDeadLetters,
  readEvents,
  startForTest,
  temporaryFolder,
} from '../testing/ingest-harness.ts';

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

async function sendAll(port: number, text: string | Buffer): Promise<void> {
  const socket = await open(port);
  socket.end(text);
  socket.resume();
  await once(socket, 'close');
}

const counted = (text: string): string => `${Buffer.byteLength(text)} ${text}`;
const line = (n: number): string => `<14>1 2026-01-01T00:00:00Z h app - - - message ${n}`;

test('TCP in both framings and UDP: every message is an event or a dead letter', async () => {
  using folder = temporaryFolder();
  const port = await freeSyslogPort();
  const env = { SYSLOG_PORT: String(port), INGEST_MAX_EVENT_BYTES: '1000' };
  {
    await using service = await startForTest(folder.path, env);
    const metric = async (name: string) => service.telemetry.registry.getSingleMetricAsString(name);
    await sendAll(port, `${line(1)}\n${counted(`${line(2)}\nsecond line`)}${line(3)}\n${line(4)}`);
    await sendAll(
      port,
      `<13>${'x'.repeat(5000)}\n${line(5)}\n${counted(`<13>${'y'.repeat(5000)}`)}${line(6)}\n`,
    );
    await sendAll(port, counted(line(7)).slice(0, -3));
    await sendAll(port, 'no syslog at all\n\n');
    const udp = createSocket('udp4');
    for (const datagram of [`${line(8)}\n`, `${line(9)}\nsecond line`, '', Buffer.from([0xff, 0xfe])])
      udp.send(datagram, port, '127.0.0.1');
    await eventually('the datagrams are in', async () =>
      /receiver="syslog-udp",service="ingest"} 3/.test(await metric('logloom_ingest_events_total')),
    );
    udp.close();
    assert.match(
      await metric('logloom_ingest_syslog_dropped_datagrams_total'),
      /where="kernel",service="ingest"} 0/,
    );
    await eventually('no connection is left', async () =>
      / 0$/.test((await metric('logloom_ingest_syslog_connections')).trimEnd()),
    );
  }
  const events = await readEvents(folder.path);
  const messages = events.map(({ message }) => message);
  assert.deepEqual(
    messages.toSorted(),
    [
      ...[1, 3, 4, 5, 6, 8].map((n) => `message ${n}`),
      'message 2\nsecond line',
      'message 9\nsecond line',
      'no syslog at all',
      'ÿþ',
    ].toSorted(),
  );
  assert.equal(new Set(events.map(({ source }) => JSON.stringify(source))).size, events.length);
  const deadLetters = await readDeadLetters(folder.path);
  assert.deepEqual(deadLetters.map(({ code, payload }) => [code, payload.length]).toSorted(), [
    ['event-too-large', 1000],
    ['event-too-large', 1000],
    ['incomplete-message', counted(line(7)).length - 3],
  ]);
});

test('a drain takes in what is on its way; a broken connection keeps what was read; limits', async () => {
  using folder = temporaryFolder();
  const port = await freeSyslogPort();
  const env = { SYSLOG_PORT: String(port), SYSLOG_MAX_CONNECTIONS: '2', SYSLOG_IDLE_MS: '1000' };
  {
    await using service = await startForTest(folder.path, env);
    const has = async (count: number) =>
      (await service.telemetry.registry.getSingleMetricAsString('logloom_ingest_events_total')).includes(
        `"syslog-tcp",service="ingest"} ${count}`,
      );
    const idle = await open(port);
    idle.write(`${line(1)}\n`);
    idle.resume();
    // Nothing more is sent: the server ends it.
    await once(idle, 'end');
    await eventually('the first is in', () => has(1));

    const broken = await open(port);
    broken.write(`${line(2)}\n${line(3)}\n<13>half`, () => setImmediate(() => broken.resetAndDestroy()));
    await eventually('the whole ones are in', () => has(3));

    const first = await open(port);
    const second = await open(port);
    first.write(`${line(4)}\n`);
    second.write(`${line(5)}\n`);
    await eventually('both are at work', () => has(5));
    const third = await open(port);
    third.on('error', () => {});
    third.resume();
    await once(third, 'close');

    first.resume();
    first.on('end', () => first.end(`${line(6)}\n${line(7)}`));
    second.destroy();
    await service.drain();
    await assert.rejects(open(port), /ECONNREFUSED/);
  }
  const messages = (await readEvents(folder.path)).map(({ message }) => message);
  assert.deepEqual(
    messages.toSorted(),
    [1, 2, 3, 4, 5, 6, 7].map((n) => `message ${n}`),
  );
  assert.deepEqual(
    (await readDeadLetters(folder.path)).map(({ code, payload }) => [code, payload.toString()]),
    [['incomplete-message', '<13>half']],
  );
});

test('a log that cannot be written holds the sender up; nothing is lost, nothing comes twice', async () => {
  using folder = temporaryFolder();
  const port = await freeSyslogPort();
  const child = fork(
    join(import.meta.dirname, '../testing/ingest-child.ts'),
    [folder.path, JSON.stringify({ SYSLOG_PORT: String(port) })],
    { stdio: ['ignore', 'inherit', 'ignore', 'ipc'] },
  );
  await once(child, 'message');
  const lock = new DatabaseSync(join(folder.path, 'log', 'logs.events.db'));
  lock.exec('BEGIN IMMEDIATE');
  const padding = 'x'.repeat(2000);
  const messages = 20_000;
  const body = Array.from({ length: messages }, (_, n) => `<14>app: ${n} ${padding}\n`).join('');
  const socket = await open(port);
  let handedOver = false;
  socket.end(body, () => (handedOver = true));
  socket.resume();
  // The kernel's buffers fill up, and then nothing moves.
  let taken = -1;
  for (let stable = 0; stable < 10; await sleep(200)) {
    const now = socket.bytesWritten - socket.writableLength;
    stable = now === taken ? stable + 1 : 0;
    taken = now;
  }
  assert.equal(handedOver, false, 'the sender was not held up');
  lock.exec('ROLLBACK');
  lock.close();
  await once(socket, 'close');
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
  const numbers = (await readEvents(folder.path)).map(({ message }) => Number(message.split(' ', 1)[0]));
  assert.deepEqual(
    numbers.toSorted((a, b) => a - b),
    Array.from({ length: messages }, (_, n) => n),
  );
});

test('a port that is taken ends the start with its name; 0 is no syslog', async () => {
  using folder = temporaryFolder();
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  await assert.rejects(startForTest(folder.path, { SYSLOG_PORT: String(port) }), {
    code: 'port-taken',
    message: new RegExp(`SYSLOG_PORT=${port}: TCP port ${port} on 127.0.0.1 is used by another program`),
  });
  other.close();
  const udp = createSocket('udp4').bind(port, '127.0.0.1');
  await once(udp, 'listening');
  await assert.rejects(startForTest(folder.path, { SYSLOG_PORT: String(port) }), /UDP port/);
  udp.close();
});
