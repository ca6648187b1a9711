import { WebSocket } from 'ws';
import type { LeanWebSocketOptions } from './lean-web-socket.ts';
import type { ViewerSocket, ViewerSocketOwner } from './viewer-socket.ts';

const handshakeTimeoutMs = 30_000;

/** A WebSocket of `ws`, for what LeanWebSocket does not do: TLS and compression. */
export class FullWebSocket implements ViewerSocket {
  readonly #socket: WebSocket;

  constructor(
    url: URL,
    { protocol, headers, localAddress, compression }: LeanWebSocketOptions & { compression: boolean },
    owner: ViewerSocketOwner,
  ) {
    const socket = new WebSocket(url, protocol, {
      perMessageDeflate: compression,
      skipUTF8Validation: true,
      handshakeTimeout: handshakeTimeoutMs,
      headers,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    this.#socket = socket;
    let reason = '';
    socket.on('open', () => owner.onOpen());
    socket.on('message', (bytes: Buffer, isBinary) => owner.onMessage(bytes, isBinary));
    socket.on('error', (error: Error & { code?: string }) => {
      reason ||=
        error.code ?? /Unexpected server response: \d+/.exec(error.message)?.[0] ?? 'connection failed';
    });
    socket.on('close', (code) => owner.onClose(reason || `closed with ${code}`));
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  close(): void {
    this.#socket.close();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}
