import { WebSocket } from 'ws';
import type { Frame, FrameReader } from './frame-reader.ts';

export interface ViewerTarget {
  /** The viewers' port's base URL. */
  url: string;
  token?: string | undefined;
}

export interface ViewerEvents {
  /** The stream has begun, or goes on at the cursor; `ms` since the connection was begun. */
  onSubscribed: (ms: number) => void;
  onFrame: (frame: Frame, bytes: number) => void;
  /** The connection has ended, or was never made. `reason` has few values. */
  onEnd: (reason: string) => void;
}

/** One connection of a viewer to Logloom. */
export class LogloomViewer {
  readonly #socket: WebSocket;
  #isEnded = false;

  /** `from`: a cursor, or `now`. */
  constructor(
    { url, token }: ViewerTarget,
    { filter, from, localAddress }: { filter: string; from: string; localAddress?: string | undefined },
    reader: FrameReader,
    { onSubscribed, onFrame, onEnd }: ViewerEvents,
  ) {
    const begun = performance.now();
    const address = new URL('/live', url.replace(/^http/, 'ws'));
    const socket = new WebSocket(address, 'logloom.v1', {
      perMessageDeflate: false,
      skipUTF8Validation: true,
      handshakeTimeout: 30_000,
      ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    this.#socket = socket;
    let reason = '';
    socket.on('open', () =>
      socket.send(
        JSON.stringify({
          type: 'subscribe',
          id: 'a',
          filter,
          from: from === 'now' ? from : { cursor: from },
        }),
      ),
    );
    socket.on('message', (bytes: Buffer) => {
      let frame: Frame;
      try {
        frame = reader.read(bytes);
      } catch {
        reason ||= 'not JSON';
        return socket.terminate();
      }
      if (frame.type === 'subscribed') onSubscribed(performance.now() - begun);
      else if (frame.type === 'error') {
        reason ||= `error ${String(frame.message?.code)}`;
        return socket.close();
      } else if (frame.type === 'goodbye') reason ||= `goodbye ${String(frame.message?.reason)}`;
      onFrame(frame, bytes.length);
    });
    socket.on('error', (error: Error & { code?: string }) => {
      reason ||=
        error.code ?? /Unexpected server response: \d+/.exec(error.message)?.[0] ?? 'connection failed';
    });
    socket.on('close', (code) => {
      if (this.#isEnded) return;
      this.#isEnded = true;
      onEnd(reason || `closed with ${code}`);
    });
  }

  /** Ends the connection as a cut network does: without a close frame. Nothing is reported any more. */
  cut(): void {
    this.#isEnded = true;
    this.#socket.terminate();
  }

  /** Reads nothing until resume(). */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}
