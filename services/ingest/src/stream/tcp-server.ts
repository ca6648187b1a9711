import type { Telemetry } from '@logloom/telemetry';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { AddressConnections, AddressQuotas } from '../quotas/address-limits.ts';
import { IdleConnections } from '../admission/idle-connections.ts';
import type { MemoryBudget } from '../admission/memory-budget.ts';
import type { Usage } from '../quotas/quota-accounts.ts';

/** Bytes read from a connection that are being written, and as many again behind them. Then reading pauses. */
const readAheadBytes = 256 * 1024;
const keepAliveMs = 60_000;
/** How long an unfinished message may make no progress while other connections wait. */
const stalledMs = 30_000;
/** At a drain: a connection that is silent for this long after our FIN has nothing more to send, ms. */
const quietMs = 500;

/** A message of a stream. */
interface Framed {
  bytes: Buffer;
}

/** Cuts a stream into messages. It never throws. */
export interface Framer<Frame> {
  /** Bytes kept of the unfinished message. */
  readonly heldBytes: number;
  /** Returns the messages that end in these bytes. */
  push: (chunk: Buffer) => Frame[];
  /** Ends the stream; `inOrder`: the peer closed it, and it did not break. */
  end: (inOrder: boolean) => Frame[];
}

/** One connection, as its protocol handles it. */
export interface Conversation<Frame> {
  framer: Framer<Frame>;
  /** Resolves when the messages are durable. Rejects when they never will be: then the connection is closed. */
  write: (frames: Frame[]) => Promise<void>;
}

/** Opens the conversation on a new connection. `number` is 0 to maxConnections - 1, and unique among open connections. */
export type Converse<Frame> = (
  number: number,
  socket: Socket,
  peer: string | undefined,
) => Conversation<Frame>;

export interface TcpServerOptions<Frame> {
  /** The protocol, for the log. */
  name: string;
  /** Set: the connections are in TLS. */
  tls?: TlsOptions | undefined;
  host: string;
  /** 0: any free port. */
  port: number;
  maxConnections: number;
  idleMs: number;
  converse: Converse<Frame>;
  onRefused: (reason: 'all' | 'address') => void;
  /** Memory for unfinished messages; shared with the requests over HTTP. */
  memory: MemoryBudget;
  /** Called when a connection is closed because its unfinished message has no room. */
  onOverloaded: () => void;
  /** Called when a silent connection is closed to make room for a new one. */
  onReplaced: () => void;
  addressConnections: AddressConnections;
  /** Unset: no address has a quota. */
  addresses: AddressQuotas | undefined;
  /** Waits until the address may send again; not while draining. */
  hold: (address: string) => Promise<void>;
  logger: Telemetry['logger'];
}

/** A server of a protocol in which senders write one message after another on a connection: syslog, GELF, Fluent Forward. */
export class TcpServer<Frame extends Framed> {
  readonly #options: TcpServerOptions<Frame>;
  readonly #server: Server;
  readonly #connections = new Map<Socket, Promise<void>>();
  readonly #idle = new IdleConnections();
  /** When the connections with an unfinished message last made progress (ms on the monotonic clock), in that order. */
  readonly #partial = new Map<Socket, number>();
  readonly #free: number[];
  #stopping = false;

  constructor(options: TcpServerOptions<Frame>) {
    this.#options = options;
    this.#free = Array.from({ length: options.maxConnections }, (_, i) => options.maxConnections - 1 - i);
    const sockets = {
      allowHalfOpen: true,
      highWaterMark: readAheadBytes,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveMs,
    };
    if (options.tls === undefined) {
      this.#server = createServer(sockets);
      this.#server.on('connection', (socket: Socket) => this.#open(socket));
    } else {
      const server = createTlsServer({ ...sockets, ...options.tls });
      server.on('secureConnection', (socket) => this.#open(socket));
      server.on('tlsClientError', (error, socket) => {
        options.logger.warn(
          { err: error, peer: peerName(socket.remoteAddress) },
          `no TLS with a sender of ${options.name}`,
        );
        socket.destroy();
      });
      this.#server = server;
    }
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Returns the port. Rejects with the system's error when it cannot be taken. */
  async listen(): Promise<number> {
    this.#server.listen({ host: this.#options.host, port: this.#options.port });
    await once(this.#server, 'listening');
    return (this.#server.address() as { port: number }).port;
  }

  /** Tells every sender that the connection ends, reads what is on its way, and closes. Cuts off what is left after `maxMs`. */
  async stop(maxMs: number): Promise<void> {
    this.#stopping = true;
    this.#server.close();
    for (const socket of this.#connections.keys()) this.#finish(socket);
    const cut = setTimeout(() => {
      for (const socket of this.#connections.keys()) socket.destroy();
    }, maxMs);
    await Promise.all(this.#connections.values());
    clearTimeout(cut);
  }

  #open(socket: Socket): void {
    socket.on('error', () => {});
    const number = this.#stopping || socket.destroyed ? undefined : this.#free.pop();
    if (number === undefined) {
      if (this.#stopping || !this.#replace(socket)) {
        this.#options.onRefused('all');
        socket.destroy();
      }
      return;
    }
    if (!this.#options.addressConnections.enter(socket)) {
      this.#free.push(number);
      this.#options.onRefused('address');
      socket.destroy();
      return;
    }
    this.#connections.set(
      socket,
      this.#receive(socket, number).finally(() => {
        this.#connections.delete(socket);
        this.#free.push(number);
      }),
    );
  }

  /** Closes a silent or stalled connection and opens the new one in its place. Returns false when there is none. */
  #replace(socket: Socket): boolean {
    const silent = this.#idle.takeFor(socket) ?? this.#stalled();
    if (silent === undefined) return false;
    this.#partial.delete(silent);
    this.#options.onReplaced();
    const closed = this.#connections.get(silent);
    silent.destroy();
    void closed?.then(() => this.#open(socket));
    return true;
  }

  /** Returns a connection whose unfinished message has made no progress for long. */
  #stalled(): Socket | undefined {
    for (const [socket, atMs] of this.#partial)
      return performance.now() - atMs > stalledMs ? socket : undefined;
    return undefined;
  }

  /** Marks a connection as one without work: silent, or with an unfinished message. */
  #rest(socket: Socket, heldBytes: number, spoke: boolean): void {
    if (socket.destroyed) return;
    if (heldBytes === 0) this.#idle.add(socket, spoke);
    else this.#partial.set(socket, performance.now());
  }

  #work(socket: Socket): void {
    this.#idle.remove(socket);
    this.#partial.delete(socket);
  }

  async #receive(socket: Socket, number: number): Promise<void> {
    const { converse, idleMs, hold, addresses, logger, memory, name } = this.#options;
    const peer = peerName(socket.remoteAddress);
    const address = peer ?? 'unknown';
    const { framer, write: store } = converse(number, socket, peer);
    let heldBytes = 0;
    const hasRoom = (): boolean => {
      const more = framer.heldBytes - heldBytes;
      if (more > memory.freeBytes) return false;
      memory.add(more);
      heldBytes += more;
      return true;
    };
    let isWriting = false;
    const write = async (frames: Frame[]): Promise<void> => {
      if (frames.length === 0) return;
      isWriting = true;
      await hold(address);
      addresses?.charge(address, usageOf(frames));
      await store(frames);
      isWriting = false;
      // The timeout may have passed meanwhile: it starts again.
      socket.setTimeout(socket.timeout ?? idleMs);
    };
    socket.setTimeout(idleMs);
    socket.on('timeout', () => {
      // The sender is not silent while we do not read.
      if (isWriting) return;
      if (socket.writableEnded) socket.destroy();
      else this.#finish(socket);
    });
    try {
      this.#rest(socket, 0, false);
      const inOrder = await this.#readAll(socket, async (chunk) => {
        this.#work(socket);
        await write(framer.push(chunk));
        if (!hasRoom()) {
          this.#options.onOverloaded();
          socket.destroy();
        }
        this.#rest(socket, framer.heldBytes, true);
      });
      this.#work(socket);
      await write(framer.end(inOrder));
    } catch (error) {
      logger.error({ err: error, peer }, `received messages of ${name} could not be stored`);
    }
    memory.release(heldBytes);
    socket.destroy();
  }

  /** Returns false when the connection broke; what came before that is still taken. */
  async #readAll(socket: Socket, take: (chunk: Buffer) => Promise<void>): Promise<boolean> {
    const chunks = (socket as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
    for (;;) {
      let next: IteratorResult<Buffer>;
      try {
        next = await chunks.next();
      } catch {
        const rest = socket.read() as Buffer | null;
        if (rest !== null) await take(rest);
        return false;
      }
      if (next.done === true) return true;
      await take(next.value);
    }
  }

  /** Sends FIN, and reads what the sender sent before it noticed. */
  #finish(socket: Socket): void {
    socket.end();
    socket.setTimeout(quietMs);
  }
}

/** What messages count for in a quota. */
function usageOf(frames: readonly Framed[]): Usage {
  return { events: frames.length, bytes: frames.reduce((sum, { bytes }) => sum + bytes.length, 0) };
}

/** Returns an address without the prefix that an IPv4 address has on an IPv6 socket. */
export function peerName(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:(?=\d+\.)/, '');
}
