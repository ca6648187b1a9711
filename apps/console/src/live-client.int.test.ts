import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, test } from 'node:test';
import { WebSocketServer, type WebSocket as ServerSocket } from 'ws';

interface Message {
  type: string;
  id: string;
  filter?: string;
  from?: unknown;
}
interface Handlers {
  onItems(items: { id: number }[]): void;
  onGap?(gap: { missed: number; reason: string }): void;
  onMode?(mode: { mode: string }): void;
  onRestart?(message: string): void;
  onError?(error: { code: string; position?: number }): void;
}
interface LiveClient {
  state: string;
  connect(): void;
  close(): void;
  subscribe(wanted: object, handlers: Handlers): { cursor(): string | undefined; close(): void };
}
type LiveClientClass = new (options: {
  url: string;
  onState?: (state: string, retryAt?: number) => void;
  random?: () => number;
}) => LiveClient;

// The page's modules are plain JavaScript that tsconfig.page.json checks; here they are met as a browser meets them.
const page = (await import(new URL('./page/live-client.js', import.meta.url).href)) as {
  LiveClient: LiveClientClass;
};

/** The next connection and what it says, in order. */
class Peer {
  readonly #socket: ServerSocket;
  readonly #received: Message[] = [];
  #arrived: () => void = () => {};

  constructor(socket: ServerSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      this.#received.push(JSON.parse(data.toString()) as Message);
      this.#arrived();
    });
  }

  async next(): Promise<Message> {
    while (this.#received.length === 0) await new Promise<void>((resolve) => (this.#arrived = resolve));
    return this.#received.shift()!;
  }

  send(...messages: object[]): void {
    for (const message of messages) this.#socket.send(JSON.stringify(message));
  }

  cut(): void {
    this.#socket.terminate();
  }

  get protocol(): string {
    return this.#socket.protocol;
  }
}

const options = { timeout: 30_000 };
const hello = { type: 'hello', protocol: 1, heartbeatMs: 60_000, maxPayload: 1 << 20 };
const wanted = { filter: 'level:error', stream: 'events', from: { tail: 100 } };

let server: WebSocketServer;
let client: LiveClient;
let states: { state: string; retryAt?: number | undefined }[];
let onStateChange: () => void;

beforeEach(async () => {
  server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  states = [];
  onStateChange = () => {};
  client = new page.LiveClient({
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/live`,
    onState: (state, retryAt) => {
      states.push({ state, retryAt });
      onStateChange();
    },
    random: () => 0,
  });
});

afterEach(async () => {
  client.close();
  for (const socket of server.clients) socket.terminate();
  await new Promise((resolve) => server.close(resolve));
});

async function accept(): Promise<Peer> {
  const [socket] = (await once(server, 'connection')) as [ServerSocket];
  return new Peer(socket);
}

async function connected(): Promise<Peer> {
  const accepted = accept();
  client.connect();
  return accepted;
}

function collect(): Handlers & { log: unknown[]; until(length: number): Promise<void> } {
  const log: unknown[] = [];
  let changed = (): void => {};
  const add = (entry: unknown): void => {
    log.push(entry);
    changed();
  };
  return {
    log,
    async until(length) {
      while (log.length < length) await new Promise<void>((resolve) => (changed = resolve));
    },
    onItems: (items) => items.forEach((item) => add(item.id)),
    onGap: (gap) => add(`missed ${gap.missed}: ${gap.reason}`),
    onMode: (mode) => add(mode.mode),
    onRestart: (message) => add(`restart: ${message}`),
    onError: (error) => add(`${error.code} at ${error.position}`),
  };
}

test('subscribes after the hello and hands over events, gaps and modes in order', options, async () => {
  const handlers = collect();
  client.subscribe(wanted, handlers);
  const peer = await connected();
  peer.send(hello);
  assert.deepEqual(await peer.next(), { type: 'subscribe', id: 's1', ...wanted });
  assert.equal(peer.protocol, 'logloom.v1');
  peer.send(
    { type: 'subscribed', id: 's1', channel: 7, cursor: 'c0', resumed: false },
    { type: 'events', channel: 7, cursor: 'c2', events: [{ id: 1 }, { id: 2 }] },
    { type: 'events', channel: 8, cursor: 'x', events: [{ id: 99 }] },
    { type: 'mode', channel: 7, mode: 'sampled', counts: {} },
    { type: 'gap', channel: 7, from: 'c2', to: 'c5', missed: 3, reason: 'slow viewer' },
    { type: 'heartbeat' },
    { type: 'events', channel: 7, cursor: 'c6', events: [{ id: 6 }] },
  );
  await handlers.until(5);
  assert.deepEqual(handlers.log, [1, 2, 'sampled', 'missed 3: slow viewer', 6]);
});

test('each subscription goes on at its own cursor after a cut', options, async () => {
  const first = collect();
  const second = collect();
  client.subscribe(wanted, first);
  client.subscribe({ ...wanted, filter: '' }, second);
  const peer = await connected();
  peer.send(hello);
  await peer.next();
  await peer.next();
  peer.send(
    { type: 'subscribed', id: 's1', channel: 1, cursor: 'a0', resumed: false },
    { type: 'subscribed', id: 's2', channel: 2, cursor: 'b0', resumed: false },
    { type: 'events', channel: 2, cursor: 'b1', events: [{ id: 1 }] },
  );
  await second.until(1);
  const again = accept();
  peer.cut();
  const next = await again;
  next.send(hello);
  assert.deepEqual((await next.next()).from, { cursor: 'a0' }, 'subscribed, nothing sent yet');
  assert.deepEqual((await next.next()).from, { cursor: 'b1' });
  next.send(
    { type: 'subscribed', id: 's2', channel: 1, cursor: 'b1', resumed: true },
    { type: 'events', channel: 1, cursor: 'b2', events: [{ id: 2 }] },
  );
  await second.until(2);
  assert.deepEqual(second.log, [1, 2]);
  assert.deepEqual(first.log, [], 'an old channel number means nothing on a new connection');
});

test('a cut before the answer asks again for what was asked', options, async () => {
  client.subscribe(wanted, collect());
  const peer = await connected();
  peer.send(hello);
  await peer.next();
  const again = accept();
  peer.cut();
  const next = await again;
  next.send(hello);
  assert.deepEqual((await next.next()).from, { tail: 100 });
});

test('a gap moves the cursor to its end', options, async () => {
  const handlers = collect();
  const subscription = client.subscribe(wanted, handlers);
  const peer = await connected();
  peer.send(hello);
  await peer.next();
  peer.send(
    { type: 'subscribed', id: 's1', channel: 7, cursor: 'c0', resumed: false },
    { type: 'gap', channel: 7, from: 'c0', to: 'c9', missed: 9, reason: 'slow viewer' },
  );
  await handlers.until(1);
  assert.equal(subscription.cursor(), 'c9');
});

test('a refused filter ends its own subscription only', options, async () => {
  const good = collect();
  const bad = collect();
  client.subscribe(wanted, good);
  client.subscribe({ ...wanted, filter: 'level:(' }, bad);
  const peer = await connected();
  peer.send(hello);
  peer.send(
    { type: 'subscribed', id: 's1', channel: 7, cursor: 'c0', resumed: false },
    { type: 'error', id: 's2', code: 'bad-filter', message: 'expected a value', position: 6 },
    { type: 'events', channel: 7, cursor: 'c1', events: [{ id: 1 }] },
  );
  await good.until(1);
  assert.deepEqual(bad.log, ['bad-filter at 6']);
  const again = accept();
  await peer.next();
  await peer.next();
  peer.cut();
  const next = await again;
  next.send(hello);
  assert.equal((await next.next()).id, 's1');
  client.subscribe({ ...wanted, filter: 'later' }, collect());
  assert.equal((await next.next()).filter, 'later', 'the refused one was not asked for again');
});

test('a refused cursor is announced and the filter goes on from now', options, async () => {
  const handlers = collect();
  client.subscribe(wanted, handlers);
  const peer = await connected();
  peer.send(hello);
  await peer.next();
  peer.send(
    { type: 'subscribed', id: 's1', channel: 7, cursor: 'c0', resumed: false },
    { type: 'events', channel: 7, cursor: 'c1', events: [{ id: 1 }] },
  );
  await handlers.until(1);
  const again = accept();
  peer.cut();
  const next = await again;
  next.send(hello);
  await next.next();
  next.send({ type: 'error', id: 's1', code: 'bad-cursor', message: 'another epoch' });
  assert.equal((await next.next()).from, 'now');
  assert.deepEqual(handlers.log, [1, 'restart: another epoch']);
});

test('silence for 2.5 heartbeats means a dead connection', options, async () => {
  client.subscribe(wanted, collect());
  const peer = await connected();
  const again = accept();
  peer.send({ ...hello, heartbeatMs: 40 });
  const next = await again;
  next.send(hello);
  assert.equal((await next.next()).type, 'subscribe');
});

test(
  'goodbye: connects again no sooner than the server asks, and goes on at the cursor',
  options,
  async () => {
    const handlers = collect();
    client.subscribe(wanted, handlers);
    const peer = await connected();
    peer.send(hello);
    await peer.next();
    const again = accept();
    const askedAt = Date.now();
    peer.send(
      { type: 'subscribed', id: 's1', channel: 7, cursor: 'c0', resumed: false },
      { type: 'goodbye', reason: 'deploy', retryAfterMs: 300 },
      { type: 'events', channel: 7, cursor: 'c1', events: [{ id: 1 }] },
    );
    await handlers.until(1);
    peer.cut();
    const next = await again;
    assert.ok(Date.now() - askedAt >= 290, 'waited for the time that the server gave');
    next.send(hello);
    assert.deepEqual((await next.next()).from, { cursor: 'c1' }, 'what came after the goodbye counts');
  },
);

test('failed tries wait longer and longer, and connect() cuts a wait short', options, async () => {
  const address = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  client.connect();
  const waits = (): number => states.filter(({ state }) => state === 'waiting').length;
  while (waits() < 2) await new Promise<void>((resolve) => (onStateChange = resolve));
  server = new WebSocketServer({ host: '127.0.0.1', port: address.port });
  await once(server, 'listening');
  const accepted = accept();
  client.connect();
  (await accepted).send(hello);
  while (client.state !== 'open') await new Promise<void>((resolve) => (onStateChange = resolve));
  client.close();
  assert.equal(client.state, 'closed');
});

test(
  'closing a subscription tells the server, and what still comes is not handed over',
  options,
  async () => {
    const handlers = collect();
    const subscription = client.subscribe(wanted, handlers);
    const other = collect();
    const peer = await connected();
    peer.send(hello);
    await peer.next();
    peer.send({ type: 'subscribed', id: 's1', channel: 7, cursor: 'c0', resumed: false });
    client.subscribe(wanted, other);
    await peer.next();
    subscription.close();
    assert.deepEqual(await peer.next(), { type: 'unsubscribe', id: 's1' });
    peer.send(
      { type: 'subscribed', id: 's2', channel: 7, cursor: 'c0', resumed: false },
      { type: 'events', channel: 7, cursor: 'c1', events: [{ id: 1 }] },
    );
    await other.until(1);
    assert.deepEqual(handlers.log, []);
  },
);
