import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { openSender } from './open-sender.ts';
import type { BatchFate, Sender } from './sender.ts';

const line = (message: string): string =>
  JSON.stringify({
    timestamp: '2026-01-01T00:00:00.000Z',
    service: 'shop',
    level: 'info',
    message,
    loadtest: { run: 'r', n: 1 },
  });

interface Receiver {
  sockets: Socket[];
  text: () => string;
  sender: Sender;
  failures: string[];
}

async function receiver(t: TestContext): Promise<Receiver> {
  const sockets: Socket[] = [];
  const failures: string[] = [];
  let text = '';
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => (text += bytes.toString()));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = new AbortController();
  t.after(() => {
    stop.abort();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const url = `syslog://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sender = openSender(
    { kind: 'logloom', receiver: 'syslog', url },
    'test',
    (_status, _again, failure) => {
      if (failure !== undefined) failures.push(failure);
    },
  );
  return { sockets, text: () => text, failures, sender };
}

const signal = new AbortController().signal;

function isRead(batch: BatchFate): Promise<boolean> {
  assert.ok(batch.fate === 'written');
  return batch.isRead;
}

test('what was written is read when the receiver ends its side after the sender has', async (t) => {
  const { sockets, sender, text } = await receiver(t);
  const first = await sender.send([line('one'), line('two')], signal);
  const second = await sender.send([line('three')], signal);
  await eventually('all has come', () => text().includes('three'));
  assert.match(text(), /^\d+ <14>1 .*@cee:.*"one".*\d+ <14>1 .*"two"/s);
  assert.equal(sockets.length, 1);
  const ended = once(sockets[0]!, 'end');
  sender.end!();
  await ended;
  sockets[0]!.end();
  assert.deepEqual([await isRead(first), await isRead(second)], [true, true]);
});

test('what was written to a connection that breaks, or that the receiver ends, is unknown', async (t) => {
  const { sockets, sender, text } = await receiver(t);
  const broken = await sender.send([line('one')], signal);
  await eventually('it has come', () => text().includes('one'));
  sockets[0]!.resetAndDestroy();
  assert.equal(await isRead(broken), false);
  const ended = await sender.send([line('two')], signal);
  await eventually('it has come', () => text().includes('two'));
  sockets[1]!.end();
  assert.equal(await isRead(ended), false);
  const next = await sender.send([line('three')], signal);
  assert.equal(next.fate, 'written');
  await eventually('it goes on', () => text().includes('three'));
});

test('where nobody listens it tries again, and what was never sent is refused', async () => {
  const stop = new AbortController();
  const failures: string[] = [];
  const url = 'syslog://127.0.0.1:1';
  const sender = openSender(
    { kind: 'logloom', receiver: 'syslog', url },
    'test',
    (_status, isRetried, failure) => {
      if (isRetried) failures.push(failure!);
    },
  );
  const sending = sender.send([line('one')], stop.signal);
  await eventually('it has tried twice', () => failures.length >= 2);
  stop.abort();
  assert.deepEqual(await sending, { fate: 'refused', rejected: [] });
  assert.deepEqual(new Set(failures), new Set(['ECONNREFUSED']));
});
