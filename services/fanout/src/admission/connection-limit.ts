import { answerAndClose } from '@logloom/runtime';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { liveError, liveErrors } from '../errors.ts';

/** Connections beside those of viewers: of the API, the console and health. */
const others = 1_000;
/** The share of the process's file descriptors that viewers' connections may use; the rest is for ingest, the stores and Kafka. */
const descriptorShare = 0.6;

/** Returns how many connections a live port may hold: all viewers and their handshakes, or what the process's descriptors allow. */
export function connectionBudget(maxViewers: number, maxHandshakes: number): number {
  const wanted = maxViewers + maxHandshakes + others;
  const descriptors = maxDescriptors();
  return descriptors === undefined ? wanted : Math.min(wanted, Math.floor(descriptors * descriptorShare));
}

function maxDescriptors(): number | undefined {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const soft = /^Max open files +(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

/**
 * Holds a server to a number of connections. When all are taken, the one that has waited longest without a request goes first, then one
 * whose request has not arrived; the new one is refused only if every connection has a request in progress.
 */
export class ConnectionLimit {
  /** Connections that were closed to make room, or refused because there was none. */
  cut = 0;
  /** Connections without a request, the one that has waited longest first. */
  readonly #idle = new Set<Socket>();
  readonly #working = new Map<Socket, IncomingMessage | undefined>();
  readonly #max: number;

  constructor(server: Server, max: number) {
    this.#max = max;
    server.on('connection', (socket: Socket) => this.#opened(socket));
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const { socket } = request;
      this.#work(socket, request);
      response.once('close', () => this.#rest(socket));
    });
  }

  get size(): number {
    return this.#idle.size + this.#working.size;
  }

  /** The connection has become a viewer's. Before that an upgrade counts as idle. */
  upgraded(socket: Socket): void {
    this.#work(socket, undefined);
  }

  #opened(socket: Socket): void {
    if (this.size >= this.#max && !this.#makeRoom()) {
      this.cut++;
      const error = liveError('connections-exhausted');
      answerAndClose(socket, liveErrors[error.code].status, JSON.stringify({ error }), ['Retry-After: 5']);
      return;
    }
    this.#idle.add(socket);
    socket.once('close', () => {
      this.#idle.delete(socket);
      this.#working.delete(socket);
    });
  }

  #makeRoom(): boolean {
    const [idle] = this.#idle;
    const victim = idle ?? this.#arriving();
    if (victim === undefined) return false;
    this.cut++;
    this.#idle.delete(victim);
    this.#working.delete(victim);
    victim.destroy();
    return true;
  }

  #arriving(): Socket | undefined {
    for (const [socket, request] of this.#working)
      if (request !== undefined && !request.complete) return socket;
    return undefined;
  }

  #work(socket: Socket, request: IncomingMessage | undefined): void {
    // A refused connection is not among them.
    if (!this.#idle.delete(socket) && !this.#working.has(socket)) return;
    this.#working.set(socket, request);
  }

  #rest(socket: Socket): void {
    if (this.#working.delete(socket) && !socket.destroyed) this.#idle.add(socket);
  }
}
