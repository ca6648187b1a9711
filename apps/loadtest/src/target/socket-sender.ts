import { once } from 'node:events';
import { WebSocket } from 'ws';
import { reasonOf, type BatchFate, type OnAnswer, type Sender, type SenderTarget } from './sender.ts';

/**
 * Sends each event as a message on a WebSocket. A batch is taken when the server has answered the ping after it: it reads in order. What
 * was under way when the connection ended stays unknown.
 */
export class SocketSender implements Sender {
  readonly #target: SenderTarget;
  readonly #onAnswer: OnAnswer;
  #socket: WebSocket | undefined;

  constructor(target: SenderTarget, onAnswer: OnAnswer) {
    this.#target = target;
    this.#onAnswer = onAnswer;
  }

  async send(lines: readonly string[], signal: AbortSignal): Promise<BatchFate> {
    try {
      const socket = (this.#socket ??= await this.#open(signal));
      const taken = once(socket, 'pong', { signal });
      const ended = Promise.withResolvers<never>();
      const end = (): void => ended.reject(Object.assign(new Error(), { code: 'connection lost' }));
      socket.once('close', end);
      for (const line of lines) socket.send(line, () => {});
      socket.ping();
      await Promise.race([taken, ended.promise]);
      socket.off('close', end);
      this.#onAnswer('taken', false, undefined);
      return { fate: 'stored', rejected: [] };
    } catch (error) {
      this.#socket?.terminate();
      this.#socket = undefined;
      if (!signal.aborted) this.#onAnswer(reasonOf(error), false, reasonOf(error));
      return { fate: 'unknown', rejected: [] };
    }
  }

  async #open(signal: AbortSignal): Promise<WebSocket> {
    const { url, key } = this.#target;
    const socket = new WebSocket(url, {
      perMessageDeflate: false,
      ...(key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } }),
    });
    // It also gets what all viewers get.
    socket.on('message', () => {});
    await once(socket, 'open', { signal });
    socket.on('error', () => {});
    return socket;
  }
}
