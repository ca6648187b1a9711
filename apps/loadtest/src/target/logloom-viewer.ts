import { FullWebSocket } from '../generator/full-web-socket.ts';
import { LeanWebSocket } from '../generator/lean-web-socket.ts';
import type { ViewerSocket, ViewerSocketOwner } from '../generator/viewer-socket.ts';
import type { Frame, FrameReader } from './frame-reader.ts';

export interface ViewerTarget {
  /** The viewers' port's base URL. */
  url: string;
  token?: string | undefined;
  /** Whether the target shows the run's events only to who asks for load tests. */
  isHidden?: boolean | undefined;
}

export interface LogloomViewerOptions {
  filter: string;
  /** A cursor, or `now`. */
  from: string;
  localAddress?: string | undefined;
  /** Offers permessage-deflate. */
  compression?: boolean;
}

export interface ViewerEvents {
  /** The stream has begun, or goes on at the cursor; `ms` since the connection was begun. */
  onSubscribed: (ms: number) => void;
  onFrame: (frame: Frame, bytes: number) => void;
  /** The connection has ended, or was never made. `reason` has few values. */
  onEnd: (reason: string) => void;
}

/** One connection of a viewer to Logloom. */
export class LogloomViewer implements ViewerSocketOwner {
  readonly #socket: ViewerSocket;
  readonly #reader: FrameReader;
  readonly #events: ViewerEvents;
  /** What is sent when the connection is open; undefined: it was sent. */
  #subscribe: string | undefined;
  readonly #begun = performance.now();
  #reason = '';
  #isEnded = false;

  constructor(
    { url, token }: ViewerTarget,
    { filter, from, localAddress, compression = false }: LogloomViewerOptions,
    reader: FrameReader,
    events: ViewerEvents,
  ) {
    this.#reader = reader;
    this.#events = events;
    this.#subscribe = JSON.stringify({
      type: 'subscribe',
      id: 'a',
      filter,
      from: from === 'now' ? from : { cursor: from },
    });
    const address = new URL('/live', url.replace(/^http/, 'ws'));
    const options = {
      protocol: 'logloom.v1',
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      localAddress,
    };
    this.#socket =
      address.protocol === 'ws:' && !compression
        ? new LeanWebSocket(address, options, this)
        : new FullWebSocket(address, { ...options, compression }, this);
  }

  onOpen(): void {
    this.#socket.send(this.#subscribe!);
    this.#subscribe = undefined;
  }

  onMessage(bytes: Buffer): void {
    if (this.#isEnded) return;
    let frame: Frame;
    try {
      frame = this.#reader.read(bytes);
    } catch {
      this.#reason ||= 'not JSON';
      return this.#socket.terminate();
    }
    if (frame.type === 'subscribed') this.#events.onSubscribed(performance.now() - this.#begun);
    else if (frame.type === 'error') {
      this.#reason ||= `error ${String(frame.message?.code)}`;
      return this.#socket.close();
    } else if (frame.type === 'goodbye') this.#reason ||= `goodbye ${String(frame.message?.reason)}`;
    this.#events.onFrame(frame, bytes.length);
  }

  onClose(reason: string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#events.onEnd(this.#reason || reason);
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
