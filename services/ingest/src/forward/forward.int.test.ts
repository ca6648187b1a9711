import { eventually, freePort } from '@logloom/testing';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { EventTime, ForwardClient, pack } from '../testing/forward-client.ts';
import { readDeadLetters, readEvents, startForTest, temporaryFolder } from '../testing/ingest-harness.ts';
import { ValueReader } from './message-pack.ts';

const seconds = 1_767_225_600;

async function start(folder: string, env: Record<string, string> = {}) {
  const port = await freePort();
  return { ...(await startForTest(folder, { FORWARD_PORT: String(port), ...env })), port };
}

const entries = (name: string, count: number): [number, object][] =>
  Array.from({ length: count }, (_, n) => [seconds + n, { message: `${name} ${n}`, level: 'warn' }]);

test('each mode of the protocol, packed or not, in any pieces; chunks are acknowledged when they are durable', async () => {
  using folder = temporaryFolder();
  {
    await using service = await start(folder.path);
    const client = await ForwardClient.open(service.port);
    const packed = Buffer.concat(entries('packed', 3).map(pack));
    const zipped = gzipSync(Buffer.concat(entries('zipped', 3).map(pack)));
    const messages = Buffer.concat([
      pack([
        'app.one',
        new EventTime(seconds, 123_456_789),
        { message: 'alone', service: 'pay', n: 2n ** 60n },
      ]),
      pack(null),
      pack(['app.two', entries('forward', 3), { chunk: 'c1', size: 3 }]),
      pack(['app.three', packed, { chunk: 'c2' }]),
      pack(['app.four', zipped, { chunk: 'c3', compressed: 'gzip' }]),
      pack(['app.five', [[[new EventTime(seconds, 0), { from: 'otel' }], { message: 'with metadata' }]]]),
    ]);
    for (const byte of messages) client.socket.write(Buffer.from([byte]));
    const answers = new ValueReader(await client.end());
    assert.deepEqual(
      [answers.value(), answers.value(), answers.value()].map((each) => ({ ...(each as object) })),
      [{ ack: 'c1' }, { ack: 'c2' }, { ack: 'c3' }],
    );
  }
  const events = await readEvents(folder.path);
  const text = events.map(({ message, service, level }) => `${service} ${level} ${message}`).sort();
  assert.deepEqual(
    text,
    [
      ...[0, 1, 2].map((n) => `app.four warn zipped ${n}`),
      'app.five info with metadata',
      ...[0, 1, 2].map((n) => `app.three warn packed ${n}`),
      ...[0, 1, 2].map((n) => `app.two warn forward ${n}`),
      'pay info alone',
    ].sort(),
  );
  const alone = events.find(({ message }) => message === 'alone')!;
  assert.equal(alone.timestamp, seconds * 1e6 + 123_456);
  assert.deepEqual(JSON.parse(alone.attributes), { n: String(2n ** 60n), tag: 'app.one' });
  const metadata = events.find(({ message }) => message === 'with metadata')!;
  assert.deepEqual(JSON.parse(metadata.attributes), { metadata: { from: 'otel' }, tag: 'app.five' });
});

test('what cannot be read becomes a dead letter, is acknowledged with the rest, and ends the connection only if it must', async () => {
  using folder = temporaryFolder();
  {
    await using service = await start(folder.path);
    const client = await ForwardClient.open(service.port);
    client.socket.write(
      pack([
        'a',
        [
          [seconds, 'no record'],
          [seconds, { message: 'good' }],
        ],
        { chunk: 'c1' },
      ]),
    );
    client.socket.write(pack(['a', gzipSync('x'), { chunk: 'c2', compressed: 'lzma' }]));
    client.socket.write(pack({ no: 'message' }));
    client.socket.write(pack(['a', seconds, { message: 'behind' }]));
    client.socket.write(Buffer.from([0xc1]));
    await once(client.socket, 'close');
    assert.match(client.received.toString('latin1'), /ack.*c1.*ack.*c2/s);
    const cut = await ForwardClient.open(service.port);
    await cut.end(pack(['a', entries('cut', 3)]).subarray(0, 20));
  }
  const messages = (await readEvents(folder.path)).map(({ message }) => message);
  assert.deepEqual(messages.sort(), ['behind', 'good']);
  const codes = (await readDeadLetters(folder.path)).map(({ code }) => code).sort();
  assert.deepEqual(codes, [
    'bad-msgpack',
    'incomplete-message',
    'unsupported-encoding',
    'wrong-shape',
    'wrong-shape',
  ]);
});

test('with a shared key, only who knows it is heard', async () => {
  using folder = temporaryFolder();
  const sharedKey = 'a shared key';
  {
    await using service = await start(folder.path, {
      FORWARD_SHARED_KEY: sharedKey,
      INGEST_MAX_BODY_BYTES: '100000',
    });
    const ping = async (client: ForwardClient, key: string): Promise<Buffer> => {
      await eventually('HELO', () => client.received.length > 0);
      const [word, { nonce }] = new ValueReader(client.received).value() as unknown as [
        string,
        { nonce: string },
      ];
      assert.equal(word, 'HELO');
      const raw = client.received
        .subarray(client.received.indexOf(Buffer.from([0xc5, 0, 16])) + 3)
        .subarray(0, 16);
      assert.equal(nonce.length > 0, true);
      const digest = createHash('sha512').update('salt').update('host').update(raw).update(key).digest('hex');
      return pack(['PING', 'host', 'salt', digest, '', '']);
    };
    const message = (text: string): Buffer => pack(['a', seconds, { message: text }, { chunk: text }]);
    const friend = await ForwardClient.open(service.port);
    const received = await friend.end(Buffer.concat([await ping(friend, sharedKey), message('heard')]));
    assert.match(received.toString('latin1'), /PONG\xc3.*ack.*heard/s);
    const other = await ForwardClient.open(service.port);
    const refused = await other.end(Buffer.concat([await ping(other, 'a guess'), message('guessed')]));
    assert.match(refused.toString('latin1'), /PONG\xc2/);
    assert.doesNotMatch(refused.toString('latin1'), /ack/);
    const silent = await ForwardClient.open(service.port);
    await silent.end(message('without'));
  }
  assert.deepEqual(
    (await readEvents(folder.path)).map(({ message }) => message),
    ['heard'],
  );
});

test('heartbeats over UDP are answered', async () => {
  using folder = temporaryFolder();
  await using service = await start(folder.path);
  await using socket = createSocket('udp4');
  const answered = once(socket, 'message');
  socket.send(Buffer.from([0]), service.port, '127.0.0.1');
  assert.deepEqual((await answered)[0], Buffer.from([0]));
});
