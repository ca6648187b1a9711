import type { ISocketFactory } from 'kafkajs';
import type { BrokerWatch } from './broker-watch.ts';
import { createSocketFactory, type WatchedSocketFactory } from './internals.ts';

/**
 * The sockets of one kafkajs client. Its own disconnect() waits for answers that may take a minute (a join) or never come, and
 * work that is under way opens new sockets behind its back: a process could not end.
 */
export class KafkaSockets {
  readonly #open = new Set<ReturnType<ISocketFactory>>();
  readonly factory: WatchedSocketFactory;
  #isClosed = false;

  constructor(watch: BrokerWatch) {
    const open: ISocketFactory = (options) => this.#connect(watch, options);
    this.factory = Object.assign(open, { asks: (address: string) => watch.asks(address) });
  }

  /** Closes the sockets, and every one that is asked for from now on. */
  destroy(): void {
    this.#isClosed = true;
    // With an error, so that kafkajs rejects what waits for an answer.
    for (const socket of this.#open) socket.destroy(closed());
  }

  #connect(watch: BrokerWatch, options: Parameters<ISocketFactory>[0]): ReturnType<ISocketFactory> {
    const socket = createSocketFactory()(options);
    this.#open.add(socket);
    // Requests that are written while it connects wait for that with a listener each; Node would warn at the eleventh.
    socket.setMaxListeners(0);
    socket.once('close', () => this.#open.delete(socket));
    if (this.#isClosed) socket.destroy(closed());
    watch.opened(`${options.host}:${options.port}`, socket);
    return socket;
  }
}

function closed(): Error {
  return new Error('the client was closed');
}
