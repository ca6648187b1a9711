import { WebSocket } from 'ws';

/** The events of a LiveSocket. */
export interface LiveSocketOwner {
  received(data: Buffer, isBinary: boolean): void;
  ponged(): void;
  pinged(data: Buffer): void;
  closed(): void;
}

/**
 * A server's WebSocket that calls one owner instead of listeners: a closure for each event, their table and the wrapper of `once` take more
 * than 1 KB a connection, a tenth of its memory (bench/live-latency.ts). No other code may listen to it.
 */
export class LiveSocket extends WebSocket {
  owner: LiveSocketOwner | undefined;

  override emit(event: string | symbol, ...details: unknown[]): boolean {
    const { owner } = this;
    if (owner === undefined) return false;
    switch (event) {
      case 'message':
        owner.received(details[0] as Buffer, details[1] as boolean);
        return true;
      case 'ping':
        owner.pinged(details[0] as Buffer);
        return true;
      case 'pong':
        owner.ponged();
        return true;
      case 'close':
        owner.closed();
        return true;
    }
    // An error is followed by the close event, which is enough; `ws` replies to pings by itself.
    return false;
  }
}
