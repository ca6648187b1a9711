import { networkOf } from '@logloom/auth';
import type { Socket } from 'node:net';

/** So long (ms) one that has sent something is left alone, and so long the only one of its address may take to begin. */
const spokeMs = 5_000;
const beginMs = 1_000;

interface Silence {
  since: number;
  /** Whether it has sent something before. */
  spoke: boolean;
}

/**
 * The connections that are open and ask for nothing now. Where there are too many, one of them makes room for a newcomer: of the
 * address that has most of them, the one that has been silent for longest. So who floods replaces its own. Who has sent something just
 * now is left alone, unless its address has more than the newcomer's.
 */
export class IdleConnections {
  /** By address; each in the order in which they fell silent. */
  readonly #byAddress = new Map<string, Map<Socket, Silence>>();

  /** It has nothing under way from now on; `spoke`: it had before. */
  add(socket: Socket, spoke: boolean): void {
    if (socket.destroyed) return;
    const address = addressOf(socket);
    const silent = this.#byAddress.get(address) ?? new Map<Socket, Silence>();
    this.#byAddress.set(address, silent);
    silent.delete(socket);
    silent.set(socket, { since: Date.now(), spoke });
    if (!spoke) socket.once('close', () => this.#remove(socket, address));
  }

  /** It has something under way. */
  remove(socket: Socket): void {
    this.#remove(socket, addressOf(socket));
  }

  #remove(socket: Socket, address: string): void {
    const silent = this.#byAddress.get(address);
    if (silent?.delete(socket) === true && silent.size === 0) this.#byAddress.delete(address);
  }

  /** Takes the one that can best be done without for the newcomer; undefined when there is none. */
  takeFor(newcomer: Socket): Socket | undefined {
    const own = this.#byAddress.get(addressOf(newcomer));
    let most = own;
    for (const silent of this.#byAddress.values()) if (silent.size > (most?.size ?? 0)) most = silent;
    if (most === undefined) return undefined;
    const isUnfair = most !== own && most.size > (own?.size ?? 0) + 1;
    for (const [socket, { since, spoke }] of most) {
      const ms = Date.now() - since;
      const mayGo = spoke ? ms > spokeMs : most.size > 1 || ms > beginMs;
      if (!isUnfair && !mayGo) continue;
      this.remove(socket);
      return socket;
    }
    return undefined;
  }
}

const addresses = new WeakMap<Socket, string>();

/** A socket that is closed does not know it any more. */
function addressOf(socket: Socket): string {
  let address = addresses.get(socket);
  if (address === undefined) addresses.set(socket, (address = networkOf(socket.remoteAddress ?? 'unknown')));
  return address;
}
