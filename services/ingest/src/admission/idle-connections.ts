import { networkOf } from '@logloom/auth';
import type { Socket } from 'node:net';

/** How long a connection is kept after it was last active, and how long the only connection of an address may take to begin. */
const spokeMs = 5_000;
const beginMs = 1_000;

interface Silence {
  /** On the monotonic clock of performance.now(). */
  sinceMs: number;
  /** Whether the connection had a request before. */
  spoke: boolean;
}

/**
 * The open connections without a request. Where there are too many, one of them makes room for a newcomer: the one that has been silent
 * for longest, of the address with the most connections. So a flood replaces its own connections. A connection that was just active is
 * kept, unless its address has more connections than the newcomer's.
 */
export class IdleConnections {
  /** By address, in the order in which they fell silent. */
  readonly #byAddress = new Map<string, Map<Socket, Silence>>();

  /** Adds a connection that has no request from now on; `spoke`: it had one before. */
  add(socket: Socket, spoke: boolean): void {
    if (socket.destroyed) return;
    const address = addressOf(socket);
    const silent = this.#byAddress.get(address) ?? new Map<Socket, Silence>();
    this.#byAddress.set(address, silent);
    silent.delete(socket);
    silent.set(socket, { sinceMs: performance.now(), spoke });
    if (!spoke) socket.once('close', () => this.#remove(socket, address));
  }

  /** Removes a connection that has a request from now on. */
  remove(socket: Socket): void {
    this.#remove(socket, addressOf(socket));
  }

  #remove(socket: Socket, address: string): void {
    const silent = this.#byAddress.get(address);
    if (silent?.delete(socket) === true && silent.size === 0) this.#byAddress.delete(address);
  }

  /** Removes and returns the connection to close for the newcomer; undefined when there is none. */
  takeFor(newcomer: Socket): Socket | undefined {
    const own = this.#byAddress.get(addressOf(newcomer));
    let most = own;
    for (const silent of this.#byAddress.values()) if (silent.size > (most?.size ?? 0)) most = silent;
    if (most === undefined) return undefined;
    const isUnfair = most !== own && most.size > (own?.size ?? 0) + 1;
    for (const [socket, { sinceMs, spoke }] of most) {
      const silentMs = performance.now() - sinceMs;
      const mayGo = spoke ? silentMs > spokeMs : most.size > 1 || silentMs > beginMs;
      if (!isUnfair && !mayGo) continue;
      this.remove(socket);
      return socket;
    }
    return undefined;
  }
}

const addresses = new WeakMap<Socket, string>();

/** Remembered because a closed socket no longer has its address. */
function addressOf(socket: Socket): string {
  let address = addresses.get(socket);
  if (address === undefined) addresses.set(socket, (address = networkOf(socket.remoteAddress ?? 'unknown')));
  return address;
}
