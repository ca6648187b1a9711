import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { syslogFrame } from './receivers/syslog.ts';
import {
  reasonOf,
  retryMs,
  type BatchFate,
  type OnAnswer,
  type Sender,
  type SenderTarget,
} from './sender.ts';

/** How long a connection is kept: of one that breaks nobody knows what was read. */
const longestConnectionMs = 5_000;
const connectTimeoutMs = 10_000;

interface Connection {
  socket: Socket;
  /** Whether the receiver has read all, which it shows by ending its side after ours. */
  isRead: Promise<boolean>;
}

/**
 * Sends events by syslog over TCP, which acknowledges nothing. What was written counts as taken, and turns out to be unknown where its
 * connection breaks. So connections are ended every few seconds: a receiver ends its side when it has read all.
 */
export class SyslogSender implements Sender {
  readonly #url: URL;
  readonly #onAnswer: OnAnswer;
  #connection: Connection | undefined;

  /** The target's URL is `syslog://HOST:PORT`. */
  constructor({ url }: SenderTarget, onAnswer: OnAnswer) {
    this.#url = new URL(url);
    this.#onAnswer = onAnswer;
  }

  async send(lines: readonly string[], signal: AbortSignal): Promise<BatchFate> {
    const connection = await this.#connected(signal);
    // Never sent.
    if (connection === undefined) return { fate: 'refused', rejected: [] };
    try {
      await written(connection.socket, lines.map(syslogFrame).join(''), signal);
      this.#onAnswer('written', false, undefined);
      return { fate: 'written', rejected: [], isRead: connection.isRead };
    } catch (error) {
      connection.socket.destroy();
      if (!signal.aborted) this.#onAnswer(reasonOf(error), false, reasonOf(error));
      return { fate: 'unknown', rejected: [] };
    }
  }

  end(): void {
    this.#connection?.socket.end();
    this.#connection = undefined;
  }

  /** Connects again and again until the signal aborts; then undefined. */
  async #connected(signal: AbortSignal): Promise<Connection | undefined> {
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        return (this.#connection ??= await this.#open(signal));
      } catch (error) {
        if (!signal.aborted) this.#onAnswer(reasonOf(error), true, reasonOf(error));
        await sleep(retryMs(attempt), undefined, { signal }).catch(() => {});
      }
    }
    return undefined;
  }

  async #open(signal: AbortSignal): Promise<Connection> {
    const { hostname, port } = this.#url;
    const opened = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<boolean>();
    const socket = connect({
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: Number(port),
      noDelay: true,
      timeout: connectTimeoutMs,
    });
    const connection: Connection = { socket, isRead: closed.promise };
    const abort = (): void => void socket.destroy(new Error('aborted'));
    signal.addEventListener('abort', abort, { once: true });
    const ending = setTimeout(() => {
      if (this.#connection === connection) this.end();
    }, longestConnectionMs);
    let isRead = false;
    socket.on('timeout', () => socket.destroy(Object.assign(new Error(), { code: 'ETIMEDOUT' })));
    socket.on('error', opened.reject);
    socket.on('connect', () => {
      socket.setTimeout(0);
      opened.resolve();
    });
    socket.on('end', () => {
      // One that ends first may have left something unread.
      isRead = this.#connection !== connection;
      if (!isRead) this.#connection = undefined;
    });
    socket.on('close', (hadError) => {
      clearTimeout(ending);
      signal.removeEventListener('abort', abort);
      if (this.#connection === connection) this.#connection = undefined;
      closed.resolve(isRead && !hadError);
    });
    socket.resume();
    await opened.promise;
    return connection;
  }
}

/** Resolves when the kernel has the text. */
async function written(socket: Socket, text: string, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const end = (): void => reject(Object.assign(new Error(), { code: 'connection lost' }));
  socket.once('close', end);
  signal.addEventListener('abort', end, { once: true });
  socket.write(text, (error) => (error ? reject(error) : resolve()));
  await promise.finally(() => {
    socket.off('close', end);
    signal.removeEventListener('abort', end);
  });
}
