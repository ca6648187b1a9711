import { ExpiryWatch } from './expiry-watch.ts';
import { Heartbeats } from './heartbeats.ts';

/** A connected viewer, as the server sees it. */
export interface ConnectedViewer {
  /** Called once in a heartbeat interval. */
  heartbeat(): void;
  /** Its token has expired. */
  expire(): void;
  /** Tells it why it is sent away, and when it may reconnect. */
  goodbye(reason: string, retryAfterMs: number): void;
  close(): void;
  /** Cuts the connection and frees what waits for it. */
  terminate(): void;
}

/** The connected viewers by transport, with their heartbeats and the ends of their tokens. */
export class ViewerRegistry {
  readonly #byTransport: ReadonlyMap<string, Set<ConnectedViewer>>;
  readonly #heartbeats: Heartbeats<ConnectedViewer>;
  readonly #expiryWatch = new ExpiryWatch();

  constructor(transports: readonly string[], heartbeatMs: number) {
    this.#byTransport = new Map(transports.map((name) => [name, new Set()]));
    this.#heartbeats = new Heartbeats(heartbeatMs);
  }

  /** Viewers of all transports. */
  get size(): number {
    let size = 0;
    for (const viewers of this.#byTransport.values()) size += viewers.size;
    return size;
  }

  /** Every transport's name with the number of its viewers. */
  counts(): Record<string, number> {
    return Object.fromEntries(Array.from(this.#byTransport, ([name, { size }]) => [name, size]));
  }

  of(transport: string): ReadonlySet<ConnectedViewer> {
    return this.#viewersOf(transport);
  }

  /** Registers a viewer until delete(), or until its token expires. `expiresAtMs`: milliseconds since 1970. */
  add(transport: string, viewer: ConnectedViewer, expiresAtMs: number | undefined): void {
    this.#viewersOf(transport).add(viewer);
    this.#heartbeats.add(viewer);
    if (expiresAtMs !== undefined) this.#expiryWatch.add(viewer, expiresAtMs);
  }

  delete(transport: string, viewer: ConnectedViewer): void {
    this.#viewersOf(transport).delete(viewer);
    this.#heartbeats.delete(viewer);
    this.#expiryWatch.delete(viewer);
  }

  startHeartbeats(): void {
    this.#heartbeats.start();
  }

  stopHeartbeats(): void {
    this.#heartbeats.stop();
  }

  terminateAll(): void {
    for (const viewers of this.#byTransport.values()) for (const viewer of viewers) viewer.terminate();
  }

  #viewersOf(transport: string): Set<ConnectedViewer> {
    const viewers = this.#byTransport.get(transport);
    if (viewers === undefined) throw new Error(`the transport ${transport} is not registered`);
    return viewers;
  }
}
