import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { readFault, type FaultFile } from '../../scenario/read-faults.ts';
import type { ProxyFault } from '../../scenario/fault-plan.ts';
import { FaultProxy } from './fault-proxy.ts';

/** A server that sends back what it gets, and remembers its connections. */
let server: Server;
const accepted: { socket: Socket; ended: string }[] = [];

before(async () => {
  server = createServer((socket) => {
    const entry = { socket, ended: '' };
    accepted.push(entry);
    socket.on('error', (error: NodeJS.ErrnoException) => (entry.ended = error.code!));
    socket.on('close', () => (entry.ended ||= 'closed'));
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

after(() => server.close());

async function proxyTo(
  port: number,
  random?: () => number,
): Promise<AsyncDisposable & { proxy: FaultProxy; port: number }> {
  const proxy = new FaultProxy({ host: '127.0.0.1', port }, random);
  const ownPort = await proxy.listen();
  return { proxy, port: ownPort, [Symbol.asyncDispose]: () => proxy.close() };
}

/** A client that keeps what it gets. */
class Client {
  readonly socket: Socket;
  ended = '';
  #chunks: Buffer[] = [];

  constructor(port: number, localAddress = '127.0.0.1') {
    this.socket = connect({ host: '127.0.0.1', port, localAddress });
    this.socket.on('data', (bytes: Buffer) => this.#chunks.push(bytes));
    this.socket.on('error', (error: NodeJS.ErrnoException) => (this.ended = error.code!));
    this.socket.on('close', () => (this.ended ||= 'closed'));
  }

  static async open(port: number, localAddress?: string): Promise<Client> {
    const client = new Client(port, localAddress);
    await once(client.socket, 'connect');
    client.socket.write('hello ');
    await client.has('hello ');
    return client;
  }

  get received(): string {
    return Buffer.concat(this.#chunks).toString('latin1');
  }

  has(text: string): Promise<void> {
    return eventually(`${text} arrives`, () => this.received.endsWith(text));
  }
}

const port = (): number => (server.address() as AddressInfo).port;
const faultOf = (file: Partial<FaultFile> & Pick<FaultFile, 'kind'>): ProxyFault =>
  readFault({ at: '0s', for: '10s', ...file }) as ProxyFault;

test('without a fault bytes pass in both directions, from the address of the client, and both ends see the end', async () => {
  await using it = await proxyTo(port());
  const client = await Client.open(it.port, '127.0.0.7');
  assert.equal(accepted.at(-1)!.socket.remoteAddress, '127.0.0.7');
  const large = 'x'.repeat(5 * 2 ** 20) + 'end';
  client.socket.end(large);
  await eventually('all has come back', () => client.ended !== '');
  assert.equal(client.received, `hello ${large}`);
  assert.equal(client.ended, 'closed');
  await eventually('the server has closed', () => accepted.at(-1)!.ended === 'closed');
  await eventually('nothing is kept', () => it.proxy.connections === 0);
});

const slow: Partial<FaultFile>[] = [
  { latency: '300ms' },
  { latency: '200ms', jitter: '300ms' },
  { bytesPerSecond: 60 },
  { loss: 0.5 },
];
for (const conditions of slow)
  test(`${JSON.stringify(conditions)} delays what it hits, changes nothing, and is over at its end`, async () => {
    // Of two numbers one loses the segment, the next one lets it pass.
    let next = 0;
    await using it = await proxyTo(port(), () => (next++ % 2 === 0 ? 0.4 : 0.6));
    const hit = await Client.open(it.port);
    assert.equal(it.proxy.begin(1, faultOf({ kind: 'network', ...conditions })), 1);
    await using direct = await proxyTo(port());
    const free = await Client.open(direct.port);
    const texts = Array.from({ length: 10 }, (_, i) => `${i} `);
    for (const text of texts) hit.socket.write(text);
    free.socket.write('overtakes');
    await free.has('overtakes');
    assert.equal(hit.received, 'hello ');
    await hit.has(texts.join(''));
    assert.equal(hit.received, `hello ${texts.join('')}`);
    it.proxy.end(1);
    hit.socket.write('after');
    await hit.has('after');
  });

test('a share of the connections is hit, also of those that come later', async () => {
  const numbers = [0.2, 0.7, 0.4, 0.9];
  let next = 0;
  await using it = await proxyTo(port(), () => numbers[next++ % numbers.length]!);
  const clients = [await Client.open(it.port), await Client.open(it.port)];
  assert.equal(it.proxy.begin(1, faultOf({ kind: 'blackhole', share: 0.5 })), 1);
  const later = [new Client(it.port), new Client(it.port)];
  for (const client of [...clients, ...later]) client.socket.write('world');
  await clients[1]!.has('world');
  await later[1]!.has('world');
  assert.equal(clients[0]!.received, 'hello ');
  assert.equal(later[0]!.received, '');
});

test('a blackhole accepts, passes nothing and closes nothing; then all of it arrives', async () => {
  await using it = await proxyTo(port());
  const old = await Client.open(it.port);
  await using direct = await proxyTo(port());
  const free = await Client.open(direct.port);
  it.proxy.begin(1, faultOf({ kind: 'blackhole' }));
  const connections = accepted.length;
  const young = new Client(it.port);
  await once(young.socket, 'connect');
  for (const client of [old, young]) client.socket.write('into the dark');
  // Also what the server sends, and that it closes.
  accepted.at(-2)!.socket.end('farewell');
  for (let i = 0; i < 5; i++) {
    free.socket.write(`${i}`);
    await free.has(`${i}`);
  }
  assert.deepEqual([old.received, old.ended, young.received, young.ended], ['hello ', '', '', '']);
  assert.equal(accepted.length, connections);
  it.proxy.end(1);
  await young.has('into the dark');
  await old.has('farewell');
});

test('half-open: the client is reset, the server is not told until the end', async () => {
  await using it = await proxyTo(port());
  const client = await Client.open(it.port);
  const atServer = accepted.at(-1)!;
  assert.equal(it.proxy.begin(1, faultOf({ kind: 'half-open' })), 1);
  await eventually('the client is reset', () => client.ended === 'ECONNRESET');
  // It comes back, as real ones do.
  const again = await Client.open(it.port);
  atServer.socket.write('are you there?');
  again.socket.write('I am');
  await again.has('I am');
  assert.equal(atServer.ended, '');
  it.proxy.end(1);
  await eventually('the server is told', () => atServer.ended === 'ECONNRESET');
  assert.equal(again.ended, '');
});

test('a reset reaches both ends', async () => {
  await using it = await proxyTo(port());
  const client = await Client.open(it.port);
  const atServer = accepted.at(-1)!;
  assert.equal(it.proxy.begin(1, faultOf({ kind: 'reset', for: '0s' })), 1);
  await eventually('both are reset', () => client.ended === 'ECONNRESET' && atServer.ended === 'ECONNRESET');
  await Client.open(it.port);
});

test('a reset of an end is passed on as one, and a target that refuses too', async () => {
  await using it = await proxyTo(port());
  const client = await Client.open(it.port);
  client.socket.resetAndDestroy();
  await eventually('the server is reset', () => accepted.at(-1)!.ended === 'ECONNRESET');
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port: nobody } = closed.address() as AddressInfo;
  closed.close();
  await once(closed, 'close');
  await using other = await proxyTo(nobody);
  const refused = new Client(other.port);
  await eventually('the client is reset', () => refused.ended === 'ECONNRESET');
});

test('corruption changes one bit of one byte of a chunk, in its own direction alone', async () => {
  for (const towards of ['server', 'client'] as const) {
    await using it = await proxyTo(port());
    const client = await Client.open(it.port);
    let atServer = '';
    accepted.at(-1)!.socket.on('data', (bytes: Buffer) => (atServer += bytes.toString('latin1')));
    it.proxy.begin(1, faultOf({ kind: 'corrupt', towards, rate: 1 }));
    const text = 'a message of some length';
    client.socket.write(text);
    await eventually('it comes back', () => client.received.length === 6 + text.length);
    const changedBits = (received: string): number =>
      [...text].reduce((sum, char, i) => {
        const difference = char.charCodeAt(0) ^ received.charCodeAt(i);
        return sum + difference.toString(2).replaceAll('0', '').length;
      }, 0);
    assert.equal(changedBits(client.received.slice(6)), 1);
    assert.equal(changedBits(atServer), towards === 'server' ? 1 : 0);
    it.proxy.end(1);
    client.socket.write('intact');
    await client.has('intact');
  }
});

test('a WebSocket server sees a broken frame and one that is too long as what they are', async () => {
  const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1', maxPayload: 65_536 });
  await once(sockets, 'listening');
  const errors: string[] = [];
  sockets.on('connection', (socket) =>
    socket.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code!)),
  );
  await using it = await proxyTo((sockets.address() as AddressInfo).port);
  const codes: number[] = [];
  for (const kind of ['broken-frames', 'oversized-frames'] as const) {
    const client = new WebSocket(`ws://127.0.0.1:${it.port}`);
    client.on('error', () => {});
    await once(client, 'open');
    it.proxy.begin(1, faultOf({ kind, for: '0s' }));
    const [code] = (await once(client, 'close')) as [number];
    codes.push(code);
  }
  // 1006: the end of what is too long may come as a reset before the close frame is read.
  assert.ok(codes[0] === 1002 && [1006, 1009].includes(codes[1]!), codes.join());
  assert.deepEqual(errors, ['WS_ERR_UNEXPECTED_RSV_2_3', 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH']);
  sockets.close();
});
