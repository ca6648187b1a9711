import { formatMicros } from '@logloom/schemas';
import { randomBytes } from 'node:crypto';
import { ExpiryWatch } from './expiry-watch.ts';
import { Heartbeats } from './heartbeats.ts';
import {
  formatViewerId,
  type ViewerActivity,
  type ViewerDirectory,
  type ViewerFigures,
  type ViewerId,
  type ViewerPage,
  type ViewerQuery,
} from './viewer-directory.ts';

/** A connected viewer, as the server sees it. */
export interface ConnectedViewer {
  /** What operators see of it; both times in ms since 1970. */
  figures(nowMs: number, sinceMs: number): ViewerActivity;
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

/** Who a viewer is, for operators. */
export interface ViewerIdentity {
  address?: string | undefined;
  /** The token's `sub`. */
  subject?: string | undefined;
}

interface Entry extends ViewerIdentity {
  number: number;
  transport: string;
  viewer: ConnectedViewer;
  sinceMs: number;
}

/** When an ended viewer may come back. */
const endedRetryMs = 60_000;

/** The connected viewers by transport, with their heartbeats and the ends of their tokens. */
export class ViewerRegistry implements ViewerDirectory {
  /** Names this process in the ids of its viewers. */
  readonly node = randomBytes(4).toString('hex');
  readonly #byTransport: ReadonlyMap<string, Set<ConnectedViewer>>;
  readonly #heartbeats: Heartbeats<ConnectedViewer>;
  readonly #expiryWatch = new ExpiryWatch();
  /** By number, in the order in which they came. */
  readonly #entries = new Map<number, Entry>();
  readonly #numbers = new Map<ConnectedViewer, number>();
  #lastNumber = 0;

  /** Called for each viewer that an operator has ended. */
  onEnded: (() => void) | undefined;

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
  add(
    transport: string,
    viewer: ConnectedViewer,
    expiresAtMs: number | undefined,
    identity: ViewerIdentity = {},
  ): void {
    this.#viewersOf(transport).add(viewer);
    const number = ++this.#lastNumber;
    this.#entries.set(number, { ...identity, number, transport, viewer, sinceMs: Date.now() });
    this.#numbers.set(viewer, number);
    this.#heartbeats.add(viewer);
    if (expiresAtMs !== undefined) this.#expiryWatch.add(viewer, expiresAtMs);
  }

  delete(transport: string, viewer: ConnectedViewer): void {
    this.#viewersOf(transport).delete(viewer);
    this.#entries.delete(this.#numbers.get(viewer) ?? 0);
    this.#numbers.delete(viewer);
    this.#heartbeats.delete(viewer);
    this.#expiryWatch.delete(viewer);
  }

  async list({ limit, after }: ViewerQuery): Promise<ViewerPage> {
    const { node } = this;
    const nowMs = Date.now();
    const total = this.#entries.size;
    const viewers: ViewerFigures[] = [];
    if (after !== undefined && after.node > node) return { total, viewers, hasMore: false };
    const from = after?.node === node ? after.number : 0;
    for (const { number, transport, viewer, sinceMs, address, subject } of this.#entries.values()) {
      if (number <= from) continue;
      if (viewers.length === limit) return { total, viewers, hasMore: true };
      viewers.push({
        id: formatViewerId({ node, number }),
        transport,
        address: address ?? null,
        subject: subject ?? null,
        since: formatMicros(sinceMs * 1000),
        ...viewer.figures(nowMs, sinceMs),
      });
    }
    return { total, viewers, hasMore: false };
  }

  async end({ node, number }: ViewerId): Promise<boolean> {
    const entry = node === this.node ? this.#entries.get(number) : undefined;
    if (entry === undefined) return false;
    entry.viewer.goodbye('ended', endedRetryMs);
    entry.viewer.close();
    this.onEnded?.();
    return true;
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
