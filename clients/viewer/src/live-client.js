// @ts-check
import { formatItemCursor, parseItemCursor, withoutTaken } from './item-cursor.js';
import { subprotocol } from './protocol.js';
import { reconnectDelay } from './reconnect-delay.js';
import { Watch } from './watch.js';

/**
 * @import { Correlation, From, Gap, LogEvent, Mode, Refusal, ServerMessage, Wanted } from './protocol.js'
 * @import { Taken } from './item-cursor.js'
 * @import { Handlers, Subscription } from './subscription.js'
 *
 * @typedef {'connecting' | 'open' | 'waiting' | 'closed'} ConnectionState
 *
 * @typedef {object} Entry
 * @property {string} id
 * @property {Wanted} wanted
 * @property {Handlers} handlers
 * @property {string | undefined} cursor the server's
 * @property {Taken} taken of what comes after the cursor
 * @property {number | undefined} channel
 * @property {'on' | 'paused' | 'closed'} state
 * @property {string | undefined} unacked to be told with the next ack
 * @property {ReturnType<typeof setTimeout> | undefined} acking
 *
 * @typedef {object} ClientOptions
 * @property {string | URL} url where `/live` is, ws: or wss:
 * @property {string | (() => string | Promise<string>)} [token] for a server that asks for one; a function is called at each connection
 * @property {'protocol' | 'query'} [tokenIn] how the token travels, as browsers can set no header: as the subprotocol
 *   `bearer.<token>` (default), or as `access_token` in the URL, which proxies tend to log
 * @property {AbortSignal} [signal] closes the client
 * @property {(state: ConnectionState, retryAt?: number) => void} [onState] `retryAt` in epoch ms while waiting
 * @property {(error: Refusal) => void} [onError] an error of no subscription
 * @property {() => number} [random] for the jitter
 */

const connectTimeoutMs = 10_000;
/** An application may acknowledge each item, but the server should not get a message for each. */
const ackEveryMs = 100;
/** Errors after which a retry at the same cursor may succeed. */
const retriable = new Set(['log-unavailable', 'durable-unavailable', 'starting', 'draining', 'rate-limited']);

/**
 * The live protocol: one socket, many subscriptions, each of which continues at its own cursor after a lost connection, so that nothing is
 * lost or repeated.
 */
export class LiveClient {
  /** @type {Map<string, Entry>} */ #entries = new Map();
  /** @type {WebSocket | undefined} */ #socket;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #silence;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #retry;
  /** @type {ConnectionState} */ #state = 'closed';
  #url;
  #token;
  #tokenIn;
  #onState;
  #onError;
  #random;
  #silenceMs = connectTimeoutMs;
  #attempt = 0;
  #nextId = 1;
  #greeted = false;
  #leaving = false;

  /** @param {ClientOptions} options */
  constructor(options) {
    const { url, signal, onState = () => {}, onError = () => {}, random = Math.random } = options;
    this.#url = new URL(url);
    this.#token = options.token;
    this.#tokenIn = options.tokenIn ?? 'protocol';
    this.#onState = onState;
    this.#onError = onError;
    this.#random = random;
    signal?.addEventListener('abort', () => this.close(), { once: true });
  }

  get state() {
    return this.#state;
  }

  /** Connects, and stays connected until `close`. Also cuts a wait for the next try short. */
  connect() {
    if (this.#state === 'connecting' || this.#state === 'open') return;
    clearTimeout(this.#retry);
    this.#open();
  }

  /** Disconnects. Subscriptions stay as they are: after another `connect` each continues at its cursor. */
  close() {
    clearTimeout(this.#retry);
    this.#drop();
    this.#setState('closed');
  }

  /**
   * Watches a filter. May be called at any time; it is sent as soon as there is a connection.
   * @param {Wanted} wanted
   * @param {Handlers} handlers
   * @returns {Subscription}
   */
  subscribe(wanted, handlers) {
    /** @type {Entry} */
    const entry = {
      id: '',
      wanted,
      handlers,
      cursor: undefined,
      taken: new Map(),
      channel: undefined,
      state: 'on',
      unacked: undefined,
      acking: undefined,
    };
    if (typeof wanted.from === 'object' && 'cursor' in wanted.from) {
      const { server, taken } = parseItemCursor(wanted.from.cursor);
      entry.wanted = { ...wanted, from: { cursor: server } };
      entry.taken = taken;
    }
    this.#add(entry);
    const cursor = () =>
      entry.cursor === undefined ? undefined : formatItemCursor(entry.cursor, entry.taken);
    return {
      cursor,
      ack: (upTo = cursor()) => {
        if (upTo === undefined) return;
        entry.unacked = parseItemCursor(upTo).server;
        entry.acking ??= setTimeout(() => this.#sendAck(entry), ackEveryMs);
      },
      pause: () => {
        if (entry.state !== 'on') return;
        entry.state = 'paused';
        this.#remove(entry);
      },
      resume: () => {
        if (entry.state !== 'paused') return;
        entry.state = 'on';
        this.#add(entry);
      },
      close: () => {
        entry.state = 'closed';
        this.#remove(entry);
      },
    };
  }

  /**
   * Watches a filter as an async iterable of items, gaps and notes. Memory stays bounded however slowly it is read.
   * @param {Wanted} [wanted]
   * @param {import('./watch.js').WatchOptions} [options]
   * @returns {Watch}
   */
  watch(wanted = {}, options = {}) {
    return new Watch(this, wanted, options);
  }

  /** Uses a new id, so that a late response to a removed subscription is not taken for its own. @param {Entry} entry */
  #add(entry) {
    entry.id = `s${this.#nextId++}`;
    this.#entries.set(entry.id, entry);
    if (this.#greeted) this.#sendSubscribe(entry);
  }

  /** @param {Entry} entry */
  #remove(entry) {
    this.#sendAck(entry);
    entry.channel = undefined;
    if (this.#entries.delete(entry.id)) this.#send({ type: 'unsubscribe', id: entry.id });
  }

  /** If it cannot be sent now, it is sent after the next `subscribed`. @param {Entry} entry */
  #sendAck(entry) {
    clearTimeout(entry.acking);
    entry.acking = undefined;
    if (entry.unacked === undefined || entry.channel === undefined) return;
    this.#send({ type: 'ack', id: entry.id, cursor: entry.unacked });
    entry.unacked = undefined;
  }

  #open() {
    this.#leaving = false;
    this.#silenceMs = connectTimeoutMs;
    this.#setState('connecting');
    this.#expectMessage();
    if (typeof this.#token !== 'function') return this.#openSocket(this.#token);
    const silence = this.#silence;
    // The connection was closed, lost or replaced meanwhile: another timer watches, or none.
    const ifCurrent = (/** @type {() => void} */ act) => {
      if (this.#state === 'connecting' && this.#silence === silence) act();
    };
    Promise.resolve()
      .then(this.#token)
      .then(
        (token) => ifCurrent(() => this.#openSocket(token)),
        (error) =>
          ifCurrent(() => {
            this.#onError({ code: 'token-failed', message: String(error?.message ?? error) });
            this.#lost();
          }),
      );
  }

  /** @param {string | undefined} token */
  #openSocket(token) {
    const url = new URL(this.#url);
    const protocols = [subprotocol];
    if (token !== undefined && this.#tokenIn === 'query') url.searchParams.set('access_token', token);
    else if (token !== undefined) protocols.push(`bearer.${token}`);
    const socket = new WebSocket(url, protocols);
    this.#socket = socket;
    socket.onmessage = (event) => this.#receive(event.data);
    // A refused connection fires both; `#lost` detaches them at the first.
    socket.onerror = () => this.#lost();
    socket.onclose = ({ code }) => this.#lost(code);
  }

  /** Forgets the socket at once: the close handshake of a dead connection can take minutes. */
  #drop() {
    clearTimeout(this.#silence);
    this.#silence = undefined;
    this.#greeted = false;
    for (const entry of this.#entries.values()) entry.channel = undefined;
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    socket.onmessage = socket.onclose = null;
    socket.onerror = () => {};
    socket.close();
  }

  /** @param {number} [closeCode] */
  #lost(closeCode) {
    this.#drop();
    // After a goodbye the server's own retry time is already running: it spreads its viewers.
    if (!this.#leaving) this.#wait(reconnectDelay(this.#attempt++, closeCode, this.#random));
  }

  /** @param {number} ms */
  #wait(ms) {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      this.#drop();
      this.#open();
    }, ms);
    this.#setState('waiting', Date.now() + ms);
  }

  #expectMessage() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#lost(), this.#silenceMs);
  }

  /** @param {string} data */
  #receive(data) {
    this.#expectMessage();
    /** @type {ServerMessage} */
    const message = JSON.parse(data);
    switch (message.type) {
      case 'hello':
        this.#silenceMs = message.heartbeatMs * 2.5;
        this.#greeted = true;
        this.#expectMessage();
        this.#setState('open');
        for (const entry of this.#entries.values()) this.#sendSubscribe(entry);
        break;
      case 'subscribed':
        this.#subscribed(message);
        break;
      case 'events':
        this.#eachOf(message.channel, (entry) => handOver(entry, message.events, message.cursor));
        break;
      case 'correlations':
        this.#eachOf(message.channel, (entry) => handOver(entry, message.correlations, message.cursor));
        break;
      case 'gap':
        this.#eachOf(message.channel, (entry) => {
          entry.cursor = message.to ?? entry.cursor;
          // Another log: its positions are different.
          if (message.reason === 'epoch') entry.taken = new Map();
          entry.handlers.onGap?.(message);
        });
        break;
      case 'mode':
        this.#eachOf(message.channel, (entry) => entry.handlers.onMode?.(message));
        break;
      case 'acked':
        this.#entries.get(message.id)?.handlers.onAcked?.(message.cursor);
        break;
      case 'error':
        this.#refused(message);
        break;
      case 'goodbye':
        this.#leaving = true;
        this.#wait(message.retryAfterMs);
        break;
      default: // heartbeat, pong, and what later versions add
    }
  }

  /** @param {{ id: string, channel: number, cursor: string, resumed: boolean }} message */
  #subscribed(message) {
    const entry = this.#entries.get(message.id);
    if (entry === undefined) return;
    this.#attempt = 0;
    entry.channel = message.channel;
    const asked = entry.cursor;
    entry.cursor = message.cursor;
    if (asked !== undefined && message.resumed === false) {
      entry.taken = new Map();
      entry.handlers.onRestart?.('the server could not continue where the connection was lost');
    }
    this.#sendAck(entry);
    entry.handlers.onSubscribed?.();
  }

  /** @param {Refusal} error */
  #refused(error) {
    const entry = error.id === undefined ? undefined : this.#entries.get(error.id);
    if (entry === undefined) return this.#onError(error);
    if (retriable.has(error.code)) {
      this.#remove(entry);
      setTimeout(
        () => {
          // It was paused and resumed meanwhile, and exists already.
          if (entry.state === 'on' && !this.#entries.has(entry.id)) this.#add(entry);
        },
        reconnectDelay(this.#attempt++, undefined, this.#random),
      );
      return;
    }
    if (entry.channel === undefined && entry.cursor !== undefined && error.code === 'bad-cursor') {
      // The cursor is from this server, but from a log that is gone: continue from now, and report it.
      entry.cursor = undefined;
      entry.taken = new Map();
      entry.wanted = { ...entry.wanted, from: 'now' };
      entry.handlers.onRestart?.(error.message);
      return this.#sendSubscribe(entry);
    }
    this.#entries.delete(entry.id);
    entry.handlers.onError?.(error);
  }

  /** A channel is shared by all subscriptions with the same filter. @param {number} channel @param {(entry: Entry) => void} act */
  #eachOf(channel, act) {
    for (const entry of this.#entries.values()) if (entry.channel === channel) act(entry);
  }

  /** @param {Entry} entry */
  #sendSubscribe({ id, wanted, cursor }) {
    const { filter = '', stream = 'events', durable, priority } = wanted;
    // Without `from`, a durable name continues at its stored cursor.
    const from =
      cursor === undefined ? (wanted.from ?? (durable === undefined ? 'now' : undefined)) : { cursor };
    this.#send({ type: 'subscribe', id, filter, stream, from, durable, priority });
  }

  /** @param {object} message */
  #send(message) {
    if (this.#greeted && this.#socket?.readyState === WebSocket.OPEN)
      this.#socket.send(JSON.stringify(message));
  }

  /** @param {ConnectionState} state @param {number} [retryAt] */
  #setState(state, retryAt) {
    this.#state = state;
    this.#onState(state, retryAt);
  }
}

/** @param {Entry} entry @param {(LogEvent | Correlation)[]} items @param {string} cursor */
function handOver(entry, items, cursor) {
  const place = { before: entry.cursor ?? cursor, taken: entry.taken };
  const { fresh, left } = withoutTaken(items, entry.taken);
  entry.cursor = cursor;
  entry.taken = left;
  entry.handlers.onItems(fresh, formatItemCursor(cursor, left), place);
}
