import type { Telemetry } from '@logloom/telemetry';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressConnections, AddressQuotas } from '../quotas/address-limits.ts';
import { IdleConnections } from '../admission/idle-connections.ts';
import type { PendingBytes } from '../http/read-body.ts';
import type { Usage } from '../quotas/quota-accounts.ts';
import { SyslogFramer, type SyslogFrame } from './syslog-framing.ts';
import type { SyslogLane } from './syslog-queue.ts';

/** Read from a connection and not yet durable: so much in work, and so much again behind it. Then reading pauses. */
const readAheadBytes = 256 * 1024;
const keepAliveMs = 60_000;
/** So long a message that was begun may stand still when others want in. */
const stalledMs = 30_000;
/** At a drain: a connection that is silent for so long after our FIN has nothing more on its way. */
const quietMs = 500;

export interface SyslogTcpOptions {
  host: string;
  /** 0: any free one. */
  port: number;
  maxConnections: number;
  idleMs: number;
  maxEventBytes: number;
  /** A lane of its own for each connection under way; number 0 to maxConnections - 1. */
  lane: (number: number) => SyslogLane;
  onRefused: (reason: 'all' | 'address') => void;
  /** Memory for messages that have begun; shared with the requests over HTTP. */
  pending: PendingBytes;
  /** A connection was closed whose message, not whole yet, had no room. */
  onOverloaded: () => void;
  /** A silent connection made room for a new one. */
  onReplaced: () => void;
  addressConnections: AddressConnections;
  /** Unset: no address has a quota. */
  addresses: AddressQuotas | undefined;
  /** Waits until the address may send again; not while draining. */
  hold: (address: string) => Promise<void>;
  logger: Telemetry['logger'];
}

/** Syslog over TCP (RFC 6587). */
export class SyslogTcp {
  readonly #options: SyslogTcpOptions;
  readonly #server: Server;
  readonly #connections = new Map<Socket, Promise<void>>();
  readonly #idle = new IdleConnections();
  /** When those with the beginning of a message were last heard of, in that order. */
  readonly #partial = new Map<Socket, number>();
  readonly #lanes: (SyslogLane | undefined)[] = [];
  readonly #free: number[];
  #stopping = false;

  constructor(options: SyslogTcpOptions) {
    this.#options = options;
    this.#free = Array.from({ length: options.maxConnections }, (_, i) => options.maxConnections - 1 - i);
    this.#server = createServer({
      allowHalfOpen: true,
      highWaterMark: readAheadBytes,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveMs,
    });
    this.#server.on('connection', (socket: Socket) => this.#open(socket));
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Gives the port. Rejects with the system's error when it cannot be taken. */
  async listen(): Promise<number> {
    this.#server.listen({ host: this.#options.host, port: this.#options.port });
    await once(this.#server, 'listening');
    return (this.#server.address() as { port: number }).port;
  }

  /** Tells every sender that this is the end, takes in what is under way, and closes; after `maxMs` what is left is cut off. */
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

  /** Closes a connection that can be done without, and opens the new one in its place; false when there is none such. */
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

  /** One that began a message and has not gone on for long. */
  #stalled(): Socket | undefined {
    for (const [socket, at] of this.#partial) return Date.now() - at > stalledMs ? socket : undefined;
    return undefined;
  }

  /** Nothing of the connection's is in work. */
  #rest(socket: Socket, heldBytes: number, spoke: boolean): void {
    if (socket.destroyed) return;
    if (heldBytes === 0) this.#idle.add(socket, spoke);
    else this.#partial.set(socket, Date.now());
  }

  #work(socket: Socket): void {
    this.#idle.remove(socket);
    this.#partial.delete(socket);
  }

  async #receive(socket: Socket, number: number): Promise<void> {
    const { lane, maxEventBytes, idleMs, hold, addresses, logger, pending } = this.#options;
    const ownLane = (this.#lanes[number] ??= lane(number));
    const peer = peerName(socket.remoteAddress);
    const address = peer ?? 'unknown';
    const framer = new SyslogFramer(maxEventBytes);
    let heldBytes = 0;
    const hasRoom = (): boolean => {
      const more = framer.heldBytes - heldBytes;
      if (more > pending.free) return false;
      pending.add(more);
      heldBytes += more;
      return true;
    };
    let isWriting = false;
    const write = async (frames: SyslogFrame[]): Promise<void> => {
      if (frames.length === 0) return;
      isWriting = true;
      await hold(address);
      addresses?.charge(address, usageOf(frames));
      await ownLane.write(frames.map((frame) => ({ ...frame, peer })));
      isWriting = false;
      // The timer ran out meanwhile, or may have: it begins anew.
      socket.setTimeout(socket.timeout ?? idleMs);
    };
    socket.setTimeout(idleMs);
    socket.on('timeout', () => {
      // Silence of ours is no silence of the sender's.
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
      logger.error({ err: error, peer }, 'syslog messages were received and could not be stored');
    }
    pending.release(heldBytes);
    socket.destroy();
  }

  /** False when the connection broke; what came before that is taken all the same. */
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

  /** Says that no more is read, and reads what was sent before the sender heard it. */
  #finish(socket: Socket): void {
    socket.end();
    socket.setTimeout(quietMs);
  }
}

/** What messages count for in a quota. */
export function usageOf(frames: readonly SyslogFrame[]): Usage {
  return { events: frames.length, bytes: frames.reduce((sum, { bytes }) => sum + bytes.length, 0) };
}

/** An IPv4 address that came over an IPv6 socket, without its prefix. */
export function peerName(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:(?=\d+\.)/, '');
}
