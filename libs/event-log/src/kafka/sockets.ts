import type { ISocketFactory } from 'kafkajs';
import type { BrokerWatch } from './broker-watch.ts';
import { createSocketFactory, type WatchedSocketFactory } from './internals.ts';

/**
 * The sockets of one kafkajs client. Its own disconnect() waits for answers that may take a minute (a join) or never come, and pending work
 * opens new sockets meanwhile, so the process could not exit.
 */
export class KafkaSockets {
  readonly #open = new Set<ReturnType<ISocketFactory>>();
  readonly factory: WatchedSocketFactory;
  #isClosed = false;

  constructor(watch: BrokerWatch) {
    const open: ISocketFactory = (options) => this.#connect(watch, options);
    this.factory = Object.assign(open, { asks: (address: string) => watch.asks(address) });
  }

  /** Closes the sockets, and every socket that is created from now on. */
  destroy(): void {
    this.#isClosed = true;
    // With an error, so that kafkajs rejects the requests that wait for an answer.
    for (const socket of this.#open) socket.destroy(closed());
  }

  #connect(watch: BrokerWatch, options: Parameters<ISocketFactory>[0]): ReturnType<ISocketFactory> {
    const socket = createSocketFactory()(options);
    this.#open.add(socket);
    // Each request that is written while the socket connects adds a listener; Node would warn at the eleventh.
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
