import { FullWebSocket } from '../generator/full-web-socket.ts';
import { LeanWebSocket } from '../generator/lean-web-socket.ts';
import type { ViewerSocket, ViewerSocketOwner } from '../generator/viewer-socket.ts';
import type { Frame, FrameReader } from './frame-reader.ts';
import type { ViewerConnection, ViewerEvents } from './target.ts';

/** How a conversation speaks on its connection. */
export interface Line {
  send(text: string): void;
  /** The viewer watches. */
  subscribed(isResumed: boolean): void;
  deliver(frame: Frame): void;
  /** Ends the connection from this side. `reason` has few values. */
  end(reason: string): void;
  /** Says what the connection ends for, if it ends now. */
  because(reason: string): void;
}

/** What a protocol says and understands on one connection. */
export interface Conversation {
  onOpen(line: Line): void;
  onFrame(frame: Frame, line: Line): void;
}

export interface WebSocketAddress {
  /** `http:` means `ws:`. */
  url: URL;
  subprotocol?: string;
  token?: string | undefined;
  localAddress?: string | undefined;
  /** Offers permessage-deflate. */
  compression?: boolean | undefined;
}

/** A viewer's WebSocket. */
export class WebSocketConnection implements ViewerConnection, ViewerSocketOwner, Line {
  readonly #socket: ViewerSocket;
  readonly #conversation: Conversation;
  readonly #reader: FrameReader;
  readonly #events: ViewerEvents;
  readonly #begun = performance.now();
  /** Of the message that is looked at. */
  #bytes = 0;
  #reason = '';
  #isEnded = false;

  constructor(
    { url, subprotocol, token, localAddress, compression = false }: WebSocketAddress,
    conversation: Conversation,
    reader: FrameReader,
    events: ViewerEvents,
  ) {
    this.#conversation = conversation;
    this.#reader = reader;
    this.#events = events;
    const address = new URL(url.href.replace(/^http/, 'ws'));
    const options = {
      protocol: subprotocol,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      localAddress,
    };
    this.#socket =
      address.protocol === 'ws:' && !compression
        ? new LeanWebSocket(address, options, this)
        : new FullWebSocket(address, { ...options, compression }, this);
  }

  onOpen(): void {
    this.#conversation.onOpen(this);
  }

  onMessage(bytes: Buffer): void {
    if (this.#isEnded) return;
    let frame: Frame;
    try {
      frame = this.#reader.read(bytes);
    } catch {
      this.because('a message that is not understood');
      return this.#socket.terminate();
    }
    this.#bytes = bytes.length;
    this.#conversation.onFrame(frame, this);
  }

  onClose(reason: string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#events.onEnd(this.#reason || reason);
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  subscribed(isResumed: boolean): void {
    this.#events.onSubscribed(performance.now() - this.#begun, isResumed);
  }

  deliver(frame: Frame): void {
    this.#events.onFrame(frame, this.#bytes);
  }

  end(reason: string): void {
    this.because(reason);
    this.#socket.close();
  }

  because(reason: string): void {
    this.#reason ||= reason;
  }

  cut(): void {
    this.#isEnded = true;
    this.#socket.terminate();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}
