import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { ProxyFault } from '../../scenario/fault-plan.ts';
import { ProxiedConnection, type ProxyTarget } from './proxied-connection.ts';

/** Connections that come faster than they are taken wait in the kernel. */
const backlog = 4_096;

/** A TCP proxy on loopback in front of one port, which makes faults on a share of its connections. It reads no protocol. */
export class FaultProxy implements AsyncDisposable {
  readonly #target: ProxyTarget;
  readonly #random: () => number;
  readonly #server: Server;
  readonly #connections = new Set<ProxiedConnection>();
  readonly #active = new Map<number, ProxyFault>();

  /** `random`: numbers from 0 to 1. */
  constructor(target: ProxyTarget, random: () => number = Math.random) {
    this.#target = target;
    this.#random = random;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (client) =>
      this.#accept(client),
    );
  }

  /** Resolves with the port. */
  async listen(): Promise<number> {
    this.#server.listen({ port: 0, host: '127.0.0.1', backlog });
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Begins a fault on a share of the connections, and of those to come until end(); returns how many there are. */
  begin(id: number, fault: ProxyFault): number {
    if (fault.seconds > 0) this.#active.set(id, fault);
    let hit = 0;
    for (const connection of this.#connections) {
      if (this.#random() >= fault.share) continue;
      hit++;
      connection.begin(id, fault);
    }
    return hit;
  }

  end(id: number): void {
    this.#active.delete(id);
    for (const connection of this.#connections) connection.end(id);
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #accept(client: Socket): void {
    const connection = new ProxiedConnection(client, this.#target, this.#random, () =>
      this.#connections.delete(connection),
    );
    this.#connections.add(connection);
    for (const [id, fault] of this.#active)
      if (fault.kind !== 'half-open' && this.#random() < fault.share) connection.begin(id, fault);
    connection.open();
  }
}
