import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameReader } from './frame-reader.ts';
import type { Message } from './message.ts';
import { openTarget } from './open-target.ts';
import { markOf } from './received-event.ts';
import type { TargetKind } from './target.ts';

const run = '0123456789ab';
const event = (n: number): string =>
  JSON.stringify({ service: `s${n % 2}`, level: 'info', message: `m${n}`, loadtest: { run, n } });

function decode(kind: TargetKind, text: string): Message {
  return openTarget({ kind, url: 'http://127.0.0.1:1/' }).decode(Buffer.from(text));
}

function numbers({ events }: Message): (number | undefined)[] {
  return events.map((each) => markOf(each)?.n);
}

test('a plain WebSocket carries an event, an array, or an object with events', () => {
  assert.deepEqual(numbers(decode('ws', event(1))), [1]);
  assert.deepEqual(numbers(decode('ws', `[${event(1)},${event(2)}]`)), [1, 2]);
  assert.deepEqual(numbers(decode('ws', `{"events":[${event(3)}]}`)), [3]);
  assert.throws(() => decode('ws', 'hello'), SyntaxError);
});

test('Socket.IO: packets, and the offset of connection state recovery', () => {
  assert.equal(decode('socket.io', '0{"sid":"a","pingInterval":25000}').type, 'open');
  assert.equal(decode('socket.io', '2').type, 'ping');
  assert.deepEqual(decode('socket.io', '40{"sid":"a","pid":"p"}').message, { sid: 'a', pid: 'p' });
  const plain = decode('socket.io', `42["log",${event(1)}]`);
  assert.deepEqual([numbers(plain), plain.cursor], [[1], null]);
  const recoverable = decode('socket.io', `42["log",${event(2)},"o2"]`);
  assert.deepEqual([numbers(recoverable), recoverable.cursor], [[2], 'o2']);
});

test('Centrifugo: several replies and pushes in a message', () => {
  const push = (n: number): string => `{"push":{"channel":"logs","pub":{"data":${event(n)},"offset":${n}}}}`;
  const pushes = decode('centrifugo', `${push(4)}\n${push(5)}`);
  assert.deepEqual([numbers(pushes), pushes.cursor, pushes.message], [[4, 5], '5', null]);
  const subscribed = decode(
    'centrifugo',
    `{"id":1,"connect":{"client":"c"}}\n{"id":2,"subscribe":{"recoverable":true,"recovered":true,"epoch":"e","offset":9,"publications":[{"data":${event(9)},"offset":9}]}}`,
  );
  assert.deepEqual(numbers(subscribed), [9]);
  assert.equal((subscribed.message!.subscribed as { epoch: string }).epoch, 'e');
  assert.equal(decode('centrifugo', '{}').message!.isPing, true);
  assert.equal(
    decode('centrifugo', '{"id":1,"error":{"code":109,"message":"token expired"}}').message!.refusal,
    'error 109',
  );
});

test('server-sent events: data over several lines, ids, comments, and the messages of Logloom', () => {
  const [first, rest] = [event(1).slice(0, 20), event(1).slice(20)];
  // A break between two lines of data is one of the text.
  const split = decode('sse', `id: 7\ndata: [\ndata: ${first}${rest}]`);
  assert.deepEqual([numbers(split), split.cursor], [[1], '7']);
  assert.deepEqual(decode('sse', ': heartbeat').events, []);
  const gap = decode(
    'sse',
    'id: c2\ndata: {"type":"gap","channel":1,"from":"c1","to":"c2","missed":3,"reason":"slow"}',
  );
  assert.deepEqual([gap.missed, gap.cursor], [3, 'c2']);
});

test('without filters of the target a viewer drops what it does not watch, and order is that of a sender', () => {
  const reader = new FrameReader((bytes) => decode('ws', bytes.toString()), {
    run,
    check: (n, { message }) => (message === `m${n}` ? undefined : 'message'),
    senderOf: (n) => n % 3,
    isWatched: (n) => n % 2 === 0,
  });
  const foreign = event(8).replace(run, 'another');
  const frame = reader.read(Buffer.from(`[${event(2)},${event(3)},${foreign},${event(4)}]`));
  assert.deepEqual([...frame.numbers], [2, 4]);
  assert.deepEqual([...frame.partitions], [2, 1]);
  assert.deepEqual([...frame.offsets], [2, 4]);
  assert.deepEqual(frame.corrupted, []);
  const changed = reader.read(Buffer.from(event(6).replace('m6', 'other')));
  assert.deepEqual(changed.corrupted, [{ n: 6, detail: 'message' }]);
});
