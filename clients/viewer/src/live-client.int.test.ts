import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, test } from 'node:test';
import { WebSocketServer, type WebSocket as ServerSocket } from 'ws';
import { LiveClient, LiveError, type ClientOptions, type Handlers, type Wanted } from './index.js';
import { reconnectDelay } from './reconnect-delay.js';

interface Message {
  type: string;
  id: string;
  filter?: string;
  from?: unknown;
}
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
const wanted: Wanted = { filter: 'level:error', stream: 'events', from: { tail: 100 } };

const event = (partition: number, offset: number): object => ({ partition, offset });

let server: WebSocketServer;
let client: LiveClient;
let states: { state: string; retryAt?: number | undefined }[];
let onStateChange: () => void;

beforeEach(async () => {
  server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  states = [];
  onStateChange = () => {};
  client = makeClient();
});

function makeClient(options: Partial<ClientOptions> = {}): LiveClient {
  return new LiveClient({
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/live`,
    onState: (state, retryAt) => {
      states.push({ state, retryAt });
      onStateChange();
    },
    random: () => 0,
    ...options,
  });
}

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
    onItems: (items: { id: number }[]) => items.forEach((item) => add(item.id)),
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

test('each subscription continues at its own cursor after a cut', options, async () => {
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

test('a refused cursor is announced and the filter continues from now', options, async () => {
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
  'goodbye: connects again no sooner than the server asks, and continues at the cursor',
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

test(
  'a token goes along as a subprotocol or in the URL, asked for anew at each connection',
  options,
  async () => {
    client.close();
    let asked = 0;
    client = makeClient({ token: async () => `t${++asked}` });
    const upgrade = once(server, 'connection') as Promise<[ServerSocket, IncomingMessage]>;
    client.connect();
    const [first, request] = await upgrade;
    assert.equal(request.headers['sec-websocket-protocol'], 'logloom.v1, bearer.t1');
    const again = once(server, 'connection') as Promise<[ServerSocket, IncomingMessage]>;
    first.close(1012);
    assert.equal((await again)[1].headers['sec-websocket-protocol'], 'logloom.v1, bearer.t2');
    client.close();

    client = makeClient({ token: 'a b', tokenIn: 'query' });
    const queried = once(server, 'connection') as Promise<[ServerSocket, IncomingMessage]>;
    client.connect();
    assert.equal((await queried)[1].url, '/live?access_token=a+b');
  },
);

test('a token that cannot be had is told, and asked for again', options, async () => {
  client.close();
  const errors: string[] = [];
  let asked = 0;
  client = makeClient({
    token: () => {
      if (++asked === 1) throw new Error('the login is away');
      return 't';
    },
    onError: ({ code, message }) => errors.push(`${code}: ${message}`),
  });
  (await connected()).send(hello);
  assert.deepEqual(errors, ['token-failed: the login is away']);
});

test('a server that is full (1013) is given more time than one that restarts (1012)', () => {
  const random = (): number => 0;
  assert.equal(reconnectDelay(0, 1012, random), 250);
  assert.ok(reconnectDelay(0, 1013, random) >= 5000);
  assert.ok(reconnectDelay(0, 1013, () => 1) > reconnectDelay(0, 1013, random), 'spread');
  assert.ok(reconnectDelay(100, undefined, () => 1) <= 15_000);
});

test('the log being out of reach is no end: it is asked again at the cursor', options, async () => {
  const handlers = collect();
  client.subscribe(wanted, handlers);
  const peer = await connected();
  peer.send(hello);
  await peer.next();
  peer.send(
    { type: 'subscribed', id: 's1', channel: 7, cursor: 'c0', resumed: false },
    { type: 'events', channel: 7, cursor: 'c1', events: [{ id: 1 }] },
    { type: 'error', id: 's1', code: 'log-unavailable', message: 'try again' },
  );
  assert.equal((await peer.next()).type, 'unsubscribe');
  const next = await peer.next();
  assert.deepEqual(next.from, { cursor: 'c1' });
  assert.deepEqual(handlers.log, [1]);
});

test('the iterator gives items, gaps and notes in order, each with its cursor', options, async () => {
  const watch = client.watch(wanted);
  const peer = await connected();
  peer.send(hello);
  await peer.next();
  peer.send(
    { type: 'subscribed', id: 's1', channel: 7, cursor: 'c0', resumed: false },
    { type: 'events', channel: 7, cursor: 'c3', events: [event(0, 5), event(1, 40), event(0, 6)] },
    { type: 'gap', channel: 7, from: 'c3', to: 'c5', missed: 3, reason: 'slow' },
    { type: 'events', channel: 7, cursor: 'c6', events: [] },
    { type: 'mode', channel: 7, mode: 'counts', counts: { info: 3 } },
    { type: 'events', channel: 7, cursor: 'c7', events: [event(0, 9)] },
  );
  const seen: string[] = [];
  for await (const entry of watch) {
    seen.push(`${entry.type} ${'cursor' in entry ? entry.cursor : ''}`);
    if (seen.length === 3)
      assert.equal(watch.cursor, 'c3', 'that of the last item read, not of the last received');
    if (seen.length === 6) break;
  }
  assert.deepEqual(seen, [
    'event c0@0.5.1',
    'event c0@0.5.1~1.14.1',
    'event c3',
    'gap c5',
    'mode ',
    'event c7',
  ]);
  assert.deepEqual(await peer.next(), { type: 'unsubscribe', id: 's1' }, 'break ends the subscription');
});

test('from a cursor between two items the rest comes, however the batches are cut', options, async () => {
  const watch = client.watch({ ...wanted, from: { cursor: 'c0@0.5.1~1.14.2' } });
  const peer = await connected();
  peer.send(hello);
  assert.deepEqual((await peer.next()).from, { cursor: 'c0' });
  const at40 = { partition: 1, closeOffset: 40 };
  peer.send(
    { type: 'subscribed', id: 's1', channel: 7, cursor: 'c0', resumed: true },
    { type: 'events', channel: 7, cursor: 'c1', events: [event(0, 4), at40] },
    { type: 'events', channel: 7, cursor: 'c2', events: [event(0, 5), event(0, 6), at40, at40] },
  );
  const first = await watch.next();
  assert.equal(first.value?.type === 'event' && first.value.event.offset, 6);
  assert.equal((await watch.next()).value?.type, 'event', 'the third that closed at 40');
  assert.equal(watch.cursor, 'c2@0.5.0~1.14.0');
  // One message for many acknowledgements: the server wants no more than it needs.
  for (let n = 0; n < 500; n++) watch.ack();
  assert.deepEqual(await peer.next(), { type: 'ack', id: 's1', cursor: 'c2' });
  await watch.return();
  assert.deepEqual(await peer.next(), { type: 'unsubscribe', id: 's1' });
});

test('a reader who is slow stops the sending at its bound and loses nothing', options, async () => {
  const watch = client.watch(wanted, { maxQueued: 4 });
  const peer = await connected();
  peer.send(hello);
  await peer.next();
  peer.send({ type: 'subscribed', id: 's1', channel: 7, cursor: 'c0', resumed: false });
  for (let n = 1; n <= 5; n++)
    peer.send({ type: 'events', channel: 7, cursor: `c${n}`, events: [event(0, n)] });
  assert.deepEqual(await peer.next(), { type: 'unsubscribe', id: 's1' });
  // What was under way when the server learnt of it comes again later.
  peer.send({ type: 'events', channel: 7, cursor: 'c6', events: [event(0, 6)] });
  const offsets: number[] = [];
  const read = async (): Promise<void> => {
    const { value } = await watch.next();
    if (value?.type === 'event') offsets.push(value.event.offset);
  };
  for (let n = 0; n < 5; n++) await read();
  const next = await peer.next();
  assert.deepEqual([next.id, next.from], ['s2', { cursor: 'c5' }]);
  peer.send(
    { type: 'subscribed', id: 's2', channel: 8, cursor: 'c5', resumed: true },
    { type: 'events', channel: 8, cursor: 'c6', events: [event(0, 6)] },
  );
  await read();
  assert.deepEqual(offsets, [1, 2, 3, 4, 5, 6]);
});

test('an aborted signal ends the loop; a refused filter throws with its place', options, async () => {
  const stop = new AbortController();
  const watch = client.watch(wanted, { signal: stop.signal });
  const bad = client.watch({ filter: 'level:(' });
  const peer = await connected();
  peer.send(hello);
  await peer.next();
  await peer.next();
  peer.send({ type: 'error', id: 's2', code: 'bad-filter', message: 'expected a value', position: 6 });
  await assert.rejects(
    bad.next(),
    (error) => error instanceof LiveError && error.code === 'bad-filter' && error.position === 6,
  );
  const ended = watch.next();
  stop.abort();
  assert.deepEqual(await ended, { done: true, value: undefined });
  assert.deepEqual(await peer.next(), { type: 'unsubscribe', id: 's1' });
});
