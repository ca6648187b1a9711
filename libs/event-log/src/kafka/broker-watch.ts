import type { Socket } from 'node:net';
import { ping } from './ping.ts';
import type { KafkaSecurity } from './security/kafka-security.ts';

/** Time is counted in turns of a timer, not by the clock: while this process is held up, it does not wait for brokers. */
const tickMs = 250;
/** A broker that is silent for this many turns while requests wait for it is pinged: 1 s. */
const quietTicks = 4;
/** A broker that answers neither requests nor pings for this many turns counts as frozen: 4 s. */
const frozenTicks = 16;
/** A ping without an answer is repeated on a new connection after this many turns: 2 s. */
const pingTicks = 8;
/** How long a client that connects waits for the first broker to answer, in ms. */
const firstAnswerMs = 3_000;

interface Peer {
  readonly address: string;
  readonly sockets: Set<Socket>;
  /** How many requests have no answer yet. */
  waiting: number;
  /** Turns since the broker last answered anything; counted while a request waits. */
  silentTicks: number;
  isFrozen: boolean;
  ping: { stop: () => void; ticks: number } | undefined;
}

/**
 * Knows which brokers answer. A frozen process (stopped, swapping, cut off) keeps its connections and even accepts new ones, so no error
 * ends the requests that wait for it, and a limit for each request has to allow for the slowest: joining a group takes a minute. So a
 * silent broker is pinged on a separate connection, with a request that a live broker answers at once. If it does not answer, its
 * connections are closed with an error that makes kafkajs try another broker, and new connections to it fail at once until it answers
 * again.
 */
export class BrokerWatch {
  readonly #peers = new Map<string, Peer>();
  readonly #bootstrap: readonly string[];
  readonly #security: KafkaSecurity;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(bootstrap: readonly string[], security: KafkaSecurity) {
    this.#bootstrap = bootstrap;
    this.#security = security;
  }

  /** host:port of all that were named or found so far. */
  get addresses(): string[] {
    return [...new Set([...this.#bootstrap, ...this.#peers.keys()])];
  }

  /** Whether no broker answers. */
  get isFrozen(): boolean {
    return this.#peers.size > 0 && [...this.#peers.values()].every(({ isFrozen }) => isFrozen);
  }

  /**
   * The broker that answers a ping first, of all that were named or found so far; all that were named when none answers. A client
   * that begins with it does not depend on the order in which the brokers are named.
   */
  readonly firstToAnswer = async (): Promise<string[]> => {
    const known = this.addresses;
    const pings: (() => void)[] = [];
    const first = await new Promise<string | undefined>((resolve) => {
      // A broker that is known to be frozen is not waited for, but it may have recovered.
      const awaited = new Set(known.filter((address) => this.#peers.get(address)?.isFrozen !== true));
      const failed = (address: string): void => {
        if (awaited.delete(address) && awaited.size === 0) resolve(undefined);
      };
      const timer = setTimeout(resolve, awaited.size === 0 ? 0 : firstAnswerMs, undefined);
      pings.push(() => clearTimeout(timer));
      for (const address of known) {
        pings.push(
          ping(
            this.#security,
            address,
            () => resolve(address),
            () => failed(address),
          ),
        );
      }
    });
    for (const stop of pings) stop();
    return first === undefined ? [...this.#bootstrap] : [first];
  };

  /** Watches a connection that is being opened; ends it at once when its broker is frozen. */
  opened(address: string, socket: Socket): void {
    const peer = this.#peer(address);
    peer.sockets.add(socket);
    socket.once('close', () => peer.sockets.delete(socket));
    if (peer.isFrozen) socket.destroy(frozen(address));
  }

  /** Registers a request that waits for this broker; call the returned function when it was answered or no longer waits. */
  asks(address: string): (isAnswered: boolean) => void {
    const peer = this.#peer(address);
    peer.waiting++;
    this.#start();
    return (isAnswered) => {
      peer.waiting--;
      if (isAnswered) peer.silentTicks = 0;
    };
  }

  close(): void {
    this.#isClosed = true;
    this.#stop();
    for (const peer of this.#peers.values()) peer.ping?.stop();
  }

  #peer(address: string): Peer {
    let peer = this.#peers.get(address);
    if (peer === undefined) {
      peer = {
        address,
        sockets: new Set(),
        waiting: 0,
        silentTicks: 0,
        isFrozen: false,
        ping: undefined,
      };
      this.#peers.set(address, peer);
    }
    return peer;
  }

  #start(): void {
    if (this.#isClosed || this.#timer !== undefined) return;
    // It must not keep the process alive.
    this.#timer = setInterval(() => this.#tick(), tickMs).unref();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    let isNeeded = false;
    for (const peer of this.#peers.values()) {
      if (peer.waiting === 0) peer.silentTicks = 0;
      else peer.silentTicks++;
      if (peer.isFrozen || peer.silentTicks >= quietTicks) this.#ping(peer);
      if (!peer.isFrozen && peer.silentTicks >= frozenTicks) freeze(peer);
      isNeeded ||= peer.waiting > 0 || peer.isFrozen;
    }
    if (!isNeeded) this.#stop();
  }

  #ping(peer: Peer): void {
    if (peer.ping !== undefined && ++peer.ping.ticks < pingTicks) return;
    peer.ping?.stop();
    peer.ping = { stop: ping(this.#security, peer.address, () => heard(peer)), ticks: 0 };
  }
}

function heard(peer: Peer): void {
  peer.silentTicks = 0;
  peer.isFrozen = false;
  peer.ping?.stop();
  peer.ping = undefined;
}

function freeze(peer: Peer): void {
  peer.isFrozen = true;
  for (const socket of peer.sockets) socket.destroy(frozen(peer.address));
}

/** Has the code that makes kafkajs look for another broker. */
function frozen(address: string): Error {
  return Object.assign(new Error(`the broker ${address} does not answer`), { code: 'ECONNREFUSED' });
}
