import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, connect, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pingRedis } from './engine-pings.ts';
import { EngineWatch } from './engine-watch.ts';

test('what waits for an engine that answers nothing rejects, what is asked then rejects at once, and both pass when it answers', async () => {
  let isFrozen = false;
  const held: (() => void)[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => {
      if (isFrozen) held.push(() => socket.write('+PONG\r\n'));
      else socket.write('+PONG\r\n');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const ask = async (): Promise<string> => {
    const socket = connect(port, '127.0.0.1');
    try {
      socket.write('PING\r\n');
      return String((await once(socket, 'data'))[0]);
    } finally {
      socket.destroy();
    }
  };
  const watch = new EngineWatch({
    name: 'engine',
    ping: pingRedis(`redis://127.0.0.1:${port}`),
    unavailable: (message) => new Error(message),
  });
  const engine = watch.guard({ ask, close: async () => {} });
  assert.match(await engine.ask(), /PONG/);

  isFrozen = true;
  const waiting = [engine.ask(), engine.ask()];
  for (const answer of waiting) await assert.rejects(answer, { message: 'engine does not answer' });
  assert.equal(watch.isFrozen, true);
  const heldBefore = held.length;
  await assert.rejects(engine.ask(), { message: 'engine does not answer' });
  assert.equal(held.length, heldBefore, 'a call while it is known reaches no engine');

  isFrozen = false;
  for (const answer of held) answer();
  while (watch.isFrozen) await sleep(20);
  assert.match(await engine.ask(), /PONG/);

  // A slow call is none to be given up while the engine answers others.
  let isSlow = true;
  void sleep(4_500).then(() => (isSlow = false));
  const slow = watch.call(async () => {
    while (isSlow) await sleep(20);
    return 'late';
  });
  assert.equal(await slow, 'late');
  await engine.close();
  server.close();
});

test('a repeated write that was given up is not sent again while the engine may still work on it', async () => {
  let isAnswering = true;
  const watch = new EngineWatch({
    name: 'engine',
    ping: async (signal) => {
      while (!isAnswering) await sleep(20, undefined, { signal });
    },
    unavailable: (message) => new Error(message),
  });
  const writes: (() => void)[] = [];
  const engine = watch.guard(
    {
      write: async () => new Promise<void>((resolve) => writes.push(resolve)),
      read: async () => 'read',
      close: async () => {},
    },
    { repeated: ['write'] },
  );
  isAnswering = false;
  await assert.rejects(engine.write(), { message: 'engine does not answer' });
  isAnswering = true;
  while (watch.isFrozen) await sleep(20);

  assert.equal(await engine.read(), 'read');
  await assert.rejects(engine.write(), { message: 'engine may still be at work on an earlier write' });
  assert.equal(writes.length, 1, 'the repetition reached the engine');
  writes[0]!();
  await sleep(0);
  const again = engine.write();
  assert.equal(writes.length, 2);
  writes[1]!();
  await again;
  await engine.close();
});
