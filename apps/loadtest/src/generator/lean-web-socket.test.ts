import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { WebSocketServer, type WebSocket } from 'ws';
import { LeanWebSocket } from './lean-web-socket.ts';

interface Opened {
  socket: LeanWebSocket;
  messages: (string | Buffer)[];
  ended: () => string | undefined;
  isOpen: () => boolean;
}

function open(port: number, protocol = 'logloom.v1', onOpen = (_socket: LeanWebSocket): void => {}): Opened {
  const messages: (string | Buffer)[] = [];
  let reason: string | undefined;
  let isOpen = false;
  const socket: LeanWebSocket = new LeanWebSocket(
    new URL(`ws://127.0.0.1:${port}/live?a=b`),
    { protocol, headers: { authorization: 'Bearer t' }, localAddress: '127.0.0.1' },
    {
      onOpen: () => {
        isOpen = true;
        onOpen(socket);
      },
      onMessage: (bytes, isBinary) => messages.push(isBinary ? Buffer.from(bytes) : bytes.toString()),
      onClose: (why) => (reason = why),
    },
  );
  return { socket, messages, ended: () => reason, isOpen: () => isOpen };
}

describe('a lean WebSocket', () => {
  let server: Server;
  let port: number;
  let accepted: WebSocket[] = [];
  const requests: { url: string; authorization: string }[] = [];

  before(async () => {
    server = createServer((_request, response) => response.writeHead(404).end());
    const sockets = new WebSocketServer({
      server,
      verifyClient: ({ req }: { req: { headers: Record<string, unknown> } }, answer) =>
        answer(req.headers['sec-websocket-protocol'] !== 'refused', 503, 'busy'),
      handleProtocols: ([first]) => (first === 'unknown' ? false : first!),
    });
    sockets.on('connection', (socket, { url, headers }) => {
      requests.push({ url: url!, authorization: headers.authorization! });
      accepted.push(socket);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    ({ port } = server.address() as AddressInfo);
  });
  after(() => {
    for (const each of accepted) each.terminate();
    server.close();
  });

  async function pair(): Promise<{ client: Opened; peer: WebSocket }> {
    accepted = [];
    const client = open(port);
    await eventually('it is open', () => client.isOpen() && accepted.length === 1);
    return { client, peer: accepted[0]! };
  }

  test('sends what it was asked for, and reads what it is sent: small, large, in fragments, binary', async () => {
    const { client, peer } = await pair();
    assert.deepEqual(requests.at(-1), { url: '/live?a=b', authorization: 'Bearer t' });
    const heard: string[] = [];
    peer.on('message', (bytes: Buffer) => heard.push(bytes.toString()));
    const texts = [5, 125, 126, 65_535, 65_536, 300_000].map((length) =>
      'ä1€'.repeat(length).slice(0, length),
    );
    for (const text of texts) client.socket.send(text);
    for (const text of texts) peer.send(text);
    peer.send('in ', { fin: false });
    peer.ping();
    peer.send('three ', { fin: false });
    peer.send('parts');
    peer.send(Buffer.from([1, 2, 3]), { binary: true });
    await eventually('both have all', () => heard.length === 6 && client.messages.length === 8);
    assert.deepEqual(heard, texts);
    assert.deepEqual(client.messages, [...texts, 'in three parts', Buffer.from([1, 2, 3])]);
    client.socket.terminate();
  });

  test('answers a ping, and a close', async () => {
    const { client, peer } = await pair();
    const ponged = once(peer, 'pong');
    peer.ping('are you there?');
    assert.equal(String((await ponged)[0]), 'are you there?');
    const closed = once(peer, 'close');
    peer.close(1012);
    assert.equal((await closed)[0], 1012);
    await eventually('it has ended', () => client.ended() === 'closed with 1012');
  });

  test('closes with 1000, and is cut without a close frame', async () => {
    const first = await pair();
    const closed = once(first.peer, 'close');
    first.client.socket.close();
    assert.equal((await closed)[0], 1000);
    const second = await pair();
    const cut = once(second.peer, 'close');
    second.client.socket.terminate();
    assert.equal((await cut)[0], 1006);
  });

  test('reads nothing while it is paused, and all of it later', async () => {
    const { client, peer } = await pair();
    peer.send('before');
    await eventually('it has come', () => client.messages.length === 1);
    client.socket.pause();
    peer.send('meanwhile');
    const ponged = once(peer, 'pong');
    peer.ping();
    const other = await pair();
    other.peer.send('to another');
    await eventually('others read', () => other.client.messages.length === 1);
    assert.deepEqual(client.messages, ['before']);
    client.socket.resume();
    await ponged;
    assert.deepEqual(client.messages, ['before', 'meanwhile']);
    client.socket.terminate();
    other.client.socket.terminate();
  });

  test('tells why there is no connection', async () => {
    const refused = open(port, 'refused');
    const other = open(port, 'unknown');
    const nobody = createTcpServer().listen(0, '127.0.0.1');
    await once(nobody, 'listening');
    const { port: free } = nobody.address() as AddressInfo;
    await new Promise((resolve) => nobody.close(resolve));
    const none = open(free);
    await eventually('all have ended', () =>
      [refused, other, none].every(({ ended }) => ended() !== undefined),
    );
    assert.deepEqual(
      [refused, other, none].map(({ ended }) => ended()),
      ['Unexpected server response: 503', 'another handshake', 'ECONNREFUSED'],
    );
  });

  test('reads whatever the pieces are in which it comes', async () => {
    // A relay that hands on a byte at a time.
    const relay = createTcpServer((client: Socket) => {
      const upstream = connect(port, '127.0.0.1');
      client.on('error', () => {});
      upstream.on('error', () => {});
      client.pipe(upstream);
      client.setNoDelay(true);
      upstream.on('data', (data: Buffer) => {
        for (const byte of data) client.write(Buffer.from([byte]));
      });
      client.on('close', () => upstream.destroy());
    });
    await once(relay.listen(0, '127.0.0.1'), 'listening');
    accepted = [];
    const client = open((relay.address() as AddressInfo).port);
    await eventually('it is open', () => accepted.length === 1);
    const texts = ['', 'a', 'b'.repeat(200), 'c'.repeat(70_000)];
    for (const text of texts) accepted[0]!.send(text);
    await eventually('all have come', () => client.messages.length === texts.length);
    assert.deepEqual(client.messages, texts);
    client.socket.terminate();
    relay.close();
  });
});
