/**
 * The live protocol (`logloom.v1`) without a page: one socket, many subscriptions, each of which goes on at its own cursor
 * after a lost connection, so that nothing is lost and nothing comes twice.
 *
 * @typedef {'connecting' | 'open' | 'waiting' | 'closed'} ConnectionState
 * @typedef {'now' | { cursor: string } | { tail: number } | { last: string }} From
 * @typedef {{ filter: string, stream: 'events' | 'correlations', from: From }} Wanted
 * @typedef {{ from: string, to: string, missed: number, reason: string }} Gap
 * @typedef {{ mode: 'full' | 'sampled' | 'counts', counts: Record<string, number> }} Mode
 * @typedef {object} Handlers
 * @property {() => void} [onSubscribed] the server took the subscription (again)
 * @property {(items: any[]) => void} onItems events or correlations, in the server's order
 * @property {(gap: Gap) => void} [onGap] what was not sent, exactly
 * @property {(mode: Mode) => void} [onMode]
 * @property {(message: string) => void} [onRestart] the server could not go on at the cursor; what came between is unknown
 * @property {(error: { code: string, message: string, position?: number }) => void} [onError] refused; it is over
 * @typedef {object} Subscription
 * @property {string} id
 * @property {() => string | undefined} cursor everything up to here has been received
 * @property {() => void} close
 * @typedef {{ wanted: Wanted, handlers: Handlers, cursor: string | undefined, channel: number | undefined }} Entry
 */

const connectTimeoutMs = 10_000;
const firstBackoffMs = 500;
const lastBackoffMs = 15_000;

export class LiveClient {
  /** @type {Map<string, Entry>} */ #entries = new Map();
  /** @type {WebSocket | undefined} */ #socket;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #silence;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #retry;
  /** @type {ConnectionState} */ #state = 'closed';
  /** @type {(state: ConnectionState, retryAt?: number) => void} */ #onState;
  /** @type {(error: { code: string, message: string }) => void} */ #onError;
  #url;
  #random;
  #silenceMs = connectTimeoutMs;
  #attempt = 0;
  #nextId = 1;
  #greeted = false;
  #leaving = false;

  /**
   * @param {object} options
   * @param {string} options.url where `/live` is, ws: or wss:
   * @param {(state: ConnectionState, retryAt?: number) => void} [options.onState] `retryAt` in epoch ms while waiting
   * @param {(error: { code: string, message: string }) => void} [options.onError] an error of no subscription
   * @param {() => number} [options.random] for the jitter
   */
  constructor({ url, onState = () => {}, onError = () => {}, random = Math.random }) {
    this.#url = url;
    this.#onState = onState;
    this.#onError = onError;
    this.#random = random;
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
    const id = `s${this.#nextId++}`;
    /** @type {Entry} */
    const entry = { wanted, handlers, cursor: undefined, channel: undefined };
    this.#entries.set(id, entry);
    if (this.#greeted) this.#sendSubscribe(id, entry);
    return {
      id,
      cursor: () => entry.cursor,
      close: () => {
        if (this.#entries.delete(id) && this.#greeted) this.#send({ type: 'unsubscribe', id });
      },
    };
  }

  #open() {
    this.#leaving = false;
    this.#silenceMs = connectTimeoutMs;
    this.#setState('connecting');
    const socket = new WebSocket(this.#url, 'logloom.v1');
    this.#socket = socket;
    socket.onmessage = (event) => this.#receive(event.data);
    // A refused connection gives both; `#lost` detaches them at the first.
    socket.onerror = () => this.#lost();
    socket.onclose = () => this.#lost();
    this.#expectMessage();
  }

  /** Forgets the socket at once: the close handshake of a dead connection can take minutes. */
  #drop() {
    clearTimeout(this.#silence);
    this.#greeted = false;
    for (const entry of this.#entries.values()) entry.channel = undefined;
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    socket.onmessage = socket.onclose = null;
    socket.onerror = () => {};
    socket.close();
  }

  #lost() {
    this.#drop();
    // After a goodbye the server's own retry time is already running: it spreads its viewers.
    if (this.#leaving) return;
    const ceiling = Math.min(lastBackoffMs, firstBackoffMs * 2 ** this.#attempt++);
    this.#wait(ceiling / 2 + (this.#random() * ceiling) / 2);
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
    const message = JSON.parse(data);
    switch (message.type) {
      case 'hello':
        this.#silenceMs = message.heartbeatMs * 2.5;
        this.#greeted = true;
        this.#expectMessage();
        this.#setState('open');
        for (const [id, entry] of this.#entries) this.#sendSubscribe(id, entry);
        break;
      case 'subscribed':
        this.#subscribed(message);
        break;
      case 'events':
      case 'correlations':
        this.#eachOf(message.channel, (entry) => {
          entry.cursor = message.cursor;
          entry.handlers.onItems(message[message.type]);
        });
        break;
      case 'gap':
        this.#eachOf(message.channel, (entry) => {
          entry.cursor = message.to ?? entry.cursor;
          entry.handlers.onGap?.(message);
        });
        break;
      case 'mode':
        this.#eachOf(message.channel, (entry) => entry.handlers.onMode?.(message));
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
      entry.handlers.onRestart?.('the server could not go on where the connection was lost');
    }
    entry.handlers.onSubscribed?.();
  }

  /** @param {{ id?: string, code: string, message: string, position?: number }} error */
  #refused(error) {
    const entry = error.id === undefined ? undefined : this.#entries.get(error.id);
    if (entry === undefined || error.id === undefined) return this.#onError(error);
    if (entry.channel === undefined && entry.cursor !== undefined) {
      // The filter was good before, so it is the cursor that is refused: go on from now, and say so.
      entry.cursor = undefined;
      entry.wanted = { ...entry.wanted, from: 'now' };
      entry.handlers.onRestart?.(error.message);
      return this.#sendSubscribe(error.id, entry);
    }
    this.#entries.delete(error.id);
    entry.handlers.onError?.(error);
  }

  /** A channel is shared by all subscriptions with the same filter. @param {number} channel @param {(entry: Entry) => void} act */
  #eachOf(channel, act) {
    for (const entry of this.#entries.values()) if (entry.channel === channel) act(entry);
  }

  /** @param {string} id @param {Entry} entry */
  #sendSubscribe(id, entry) {
    const from = entry.cursor === undefined ? entry.wanted.from : { cursor: entry.cursor };
    this.#send({ type: 'subscribe', id, filter: entry.wanted.filter, stream: entry.wanted.stream, from });
  }

  /** @param {object} message */
  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** @param {ConnectionState} state @param {number} [retryAt] */
  #setState(state, retryAt) {
    this.#state = state;
    this.#onState(state, retryAt);
  }
}
