import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  freeSyslogPort,
  readDeadLetters,
  readEvents,
  startForTest,
  temporaryFolder,
} from '../testing/ingest-harness.ts';

const max = 20;

async function open(port: number, localAddress: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  socket.on('error', () => {});
  socket.on('data', () => {});
  await once(socket, 'connect');
  return socket;
}

test('messages that begin and do not end fill no memory: their connection is closed, and what there is of them is kept', async () => {
  using folder = temporaryFolder();
  const port = await freeSyslogPort();
  {
    await using service = await startForTest(folder.path, {
      SYSLOG_PORT: String(port),
      INGEST_MAX_PENDING_BYTES: '300000',
    });
    const first = await open(port, '127.0.0.1');
    first.write(`<13>${'a'.repeat(200_000)}`);
    const held = async (): Promise<boolean> =>
      /^logloom_ingest_pending_bytes\{.*\} 20\d{4}$/m.test(await service.telemetry.registry.metrics());
    for (const deadline = Date.now() + 60_000; !(await held()); await sleep(20))
      assert.ok(Date.now() < deadline);
    const second = await open(port, '127.0.0.1');
    const closed = new Promise((resolve) => second.once('close', resolve));
    second.write(`<13>${'b'.repeat(200_000)}`);
    await closed;
    first.end('\n');
    await new Promise((resolve) => first.once('close', resolve));
  }
  assert.equal((await readEvents(folder.path)).length, 1);
  const [deadLetter] = await readDeadLetters(folder.path);
  assert.equal(deadLetter?.code, 'incomplete-message');
});

test('silent connections make room: those of whoever has most of them, and never one that is at work', async () => {
  using folder = temporaryFolder();
  const syslogPort = await freeSyslogPort();
  const sockets: Socket[] = [];
  {
    await using service = await startForTest(folder.path, {
      SYSLOG_PORT: String(syslogPort),
      SYSLOG_MAX_CONNECTIONS: String(max),
      INGEST_MAX_CONNECTIONS: String(max),
    });
    const httpPort = Number(new URL(service.address).port);
    for (const port of [syslogPort, httpPort]) {
      const quiet = await open(port, '127.0.0.3');
      const begun = await open(port, '127.0.0.2');
      begun.write(
        port === syslogPort
          ? 'begun and'
          : 'POST /ingest HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 21\r\n\r\n{"message":',
      );
      await sleep(200);
      for (let n = 0; n < 3 * max; n++) sockets.push(await open(port, '127.0.0.2'));
      const late = await open(port, '127.0.0.4');
      if (port === syslogPort) {
        late.write('<13>late\n');
        quiet.write('<13>quiet\n');
        begun.write(' ended\n');
      } else {
        const request = (message: string): string => {
          const body = JSON.stringify({ message });
          return `POST /ingest HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
        };
        late.write(request('late http'));
        quiet.write(request('quiet http'));
        begun.write('"begun h"}');
      }
      sockets.push(quiet, begun, late);
    }
    const stored = async (): Promise<string> => await service.telemetry.registry.metrics();
    for (const deadline = Date.now() + 60_000; ; await sleep(20)) {
      const text = await stored();
      const count = [...text.matchAll(/^logloom_ingest_events_total\{.*\} (\d+)$/gm)].reduce(
        (sum, m) => sum + Number(m[1]),
        0,
      );
      if (count >= 6) break;
      assert.ok(Date.now() < deadline, text);
    }
    assert.match(await stored(), /logloom_ingest_syslog_replaced_connections_total\{.*\} [1-9]/);
    assert.match(await stored(), /logloom_ingest_http_replaced_connections_total\{.*\} [1-9]/);
    for (const socket of sockets) socket.destroy();
  }
  const messages = (await readEvents(folder.path)).map(({ message }) => message).sort();
  assert.deepEqual(messages, ['begun and ended', 'begun h', 'late', 'late http', 'quiet', 'quiet http']);
});
