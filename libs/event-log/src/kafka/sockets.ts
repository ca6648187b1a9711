import type { ISocketFactory } from 'kafkajs';
import type { WatchedSocketFactory } from './internals.ts';
import type { KafkaSettings } from './options.ts';

/**
 * The sockets of one kafkajs client. Its own disconnect() waits for answers that may take a minute (a join) or never come, and pending work
 * opens new sockets meanwhile, so the process could not exit.
 */
export class KafkaSockets {
  readonly #open = new Set<ReturnType<ISocketFactory>>();
  readonly factory: WatchedSocketFactory;
  #isClosed = false;

  constructor(settings: Pick<KafkaSettings, 'watch' | 'security'>) {
    const open: ISocketFactory = (options) => this.#connect(settings, options);
    this.factory = Object.assign(open, { asks: (address: string) => settings.watch.asks(address) });
  }

  /** Closes the sockets, and every socket that is created from now on. */
  destroy(): void {
    this.#isClosed = true;
    // With an error, so that kafkajs rejects the requests that wait for an answer.
    for (const socket of this.#open) socket.destroy(closed());
  }

  #connect(
    { watch, security }: Pick<KafkaSettings, 'watch' | 'security'>,
    { host, port, onConnect }: Parameters<ISocketFactory>[0],
  ): ReturnType<ISocketFactory> {
    const socket = security.connect(host, port, onConnect);
    this.#open.add(socket);
    // Each request that is written while the socket connects adds a listener; Node would warn at the eleventh.
    socket.setMaxListeners(0);
    socket.once('close', () => this.#open.delete(socket));
    if (this.#isClosed) socket.destroy(closed());
    watch.opened(`${host}:${port}`, socket);
    return socket;
  }
}

function closed(): Error {
  return new Error('the client was closed');
}
