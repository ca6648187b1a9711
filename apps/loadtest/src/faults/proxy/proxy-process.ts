import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { FaultSide, ProxyFault } from '../../scenario/fault-plan.ts';
import type { ProxyTarget } from './proxied-connection.ts';
import type { FromProxy, ToProxy } from './proxy-messages.ts';

export type ProxySecond = Extract<FromProxy, { type: 'second' }>;

interface Listeners {
  onSecond: (figures: ProxySecond) => void;
  /** The process has ended by itself: every connection through it is gone. */
  onEnd: (reason: string) => void;
}

/** The proxies of a run, in a process of their own: their load is nobody else's. */
export class ProxyProcess implements Disposable {
  readonly #child: ChildProcess;
  readonly #listening = Promise.withResolvers<Partial<Record<FaultSide, number[]>>>();
  readonly #begun = new Map<number, (connections: number) => void>();
  #isOver = false;

  constructor({ onSecond, onEnd }: Listeners) {
    this.#listening.promise.catch(() => {});
    this.#child = fork(join(import.meta.dirname, 'proxy-main.ts'));
    this.#child.on('message', (message: FromProxy) => {
      if (message.type === 'listening') this.#listening.resolve(message.ports);
      else if (message.type === 'second') onSecond(message);
      else this.#begun.get(message.id)?.(message.connections);
    });
    this.#child.on('exit', (code, signal) => {
      this.#listening.reject(new Error(`the proxy ended with ${code ?? signal}`));
      if (!this.#isOver) onEnd(`the proxy ended with ${code ?? signal}`);
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Puts a proxy in front of each address of these sides; resolves with the addresses of the proxies, at the same positions. */
  async start(
    urls: Readonly<Record<FaultSide, readonly string[]>>,
    sides: readonly FaultSide[],
  ): Promise<Partial<Record<FaultSide, string[]>>> {
    const targets = Object.fromEntries(sides.map((side) => [side, urls[side].map(targetOf)]));
    this.#tell({ type: 'start', targets });
    const ports = await this.#listening.promise;
    const through = (side: FaultSide): string[] =>
      urls[side].map((address, i) => {
        const url = new URL(address);
        url.host = `127.0.0.1:${ports[side]![i]}`;
        return url.href;
      });
    return Object.fromEntries(sides.map((side) => [side, through(side)]));
  }

  /** From now on it reports what it takes itself, each second. */
  begin(startsAtMs: number): void {
    this.#tell({ type: 'watch', startsAtMs });
  }

  /** Resolves with the number of connections that are hit. */
  disturb(id: number, on: FaultSide, fault: ProxyFault): Promise<number> {
    const begun = Promise.withResolvers<number>();
    this.#begun.set(id, begun.resolve);
    this.#tell({ type: 'begin', id, on, fault });
    return begun.promise;
  }

  restore(id: number, on: FaultSide): void {
    this.#begun.delete(id);
    this.#tell({ type: 'end', id, on });
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#child.kill('SIGKILL');
  }

  #tell(message: ToProxy): void {
    // One that ends at this moment has nothing to be told.
    if (this.#child.connected) this.#child.send(message, () => {});
  }
}

function targetOf(url: string): ProxyTarget {
  const { hostname, port } = new URL(url);
  // `localhost` may be an IPv6 address, on which nothing listens.
  const host = hostname === 'localhost' ? '127.0.0.1' : hostname.replace(/^\[|\]$/g, '');
  return { host, port: Number(port || 80) };
}
