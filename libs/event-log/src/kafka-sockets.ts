import type { ISocketFactory } from 'kafkajs';
import { createSocketFactory } from './kafka-internals.ts';

/**
 * The sockets of one kafkajs client. Its own disconnect() waits for answers that may take a minute (a join) or never come, and
 * work that is under way opens new sockets behind its back: a process could not end.
 */
export class KafkaSockets {
  readonly #open = new Set<ReturnType<ISocketFactory>>();
  #isClosed = false;

  readonly factory: ISocketFactory = (options) => {
    const socket = createSocketFactory()(options);
    this.#open.add(socket);
    // Requests that are written while it connects wait for that with a listener each; Node would warn at the eleventh.
    socket.setMaxListeners(0);
    socket.once('close', () => this.#open.delete(socket));
    if (this.#isClosed) socket.destroy(closed());
    return socket;
  };

  /** Closes the sockets, and every one that is asked for from now on. */
  destroy(): void {
    this.#isClosed = true;
    // With an error, so that kafkajs rejects what waits for an answer.
    for (const socket of this.#open) socket.destroy(closed());
  }
}

function closed(): Error {
  return new Error('the client was closed');
}
