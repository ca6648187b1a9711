import { connect, type Socket } from 'node:net';
import type { ProxyFault } from '../../scenario/fault-plan.ts';
import { brokenFrame, oversizedFrameHeader } from './bad-frames.ts';
import { combined, type LineConditions } from './line-conditions.ts';
import { Relay } from './relay.ts';

export interface ProxyTarget {
  host: string;
  port: number;
}

const padding = Buffer.alloc(65_536, 'a');

/** A connection to the proxy, and its own to the target. */
export class ProxiedConnection {
  readonly #client: Socket;
  readonly #target: ProxyTarget;
  readonly #random: () => number;
  readonly #onEnd: () => void;
  readonly #faults = new Map<number, ProxyFault>();
  #server: Socket | undefined;
  #up: Relay | undefined;
  #down: Relay | undefined;
  #isHalfOpen = false;

  constructor(client: Socket, target: ProxyTarget, random: () => number, onEnd: () => void) {
    this.#client = client;
    this.#target = target;
    this.#random = random;
    this.#onEnd = onEnd;
    // A peer that resets is passed on as one.
    client.on('error', () => this.#isHalfOpen || this.#server?.resetAndDestroy());
    client.on('close', () => {
      if (this.#isHalfOpen) return;
      this.#up?.stop();
      this.#server?.destroy();
      onEnd();
    });
  }

  /** Connects to the target, unless nothing may pass: then at the end of that fault. */
  open(): void {
    if (this.#server !== undefined || this.#isHeld || this.#client.destroyed) return;
    const { host, port } = this.#target;
    const { remoteAddress } = this.#client;
    // As if it came from there itself: an address has only so many ports for one target, and servers count by addresses.
    const localAddress =
      host.startsWith('127.') && remoteAddress?.startsWith('127.') ? { localAddress: remoteAddress } : {};
    const server = connect({ host, port, ...localAddress, allowHalfOpen: true, noDelay: true });
    this.#server = server;
    this.#up = new Relay(this.#client, server, this.#random);
    this.#down = new Relay(server, this.#client, this.#random);
    server.on('error', () => this.#client.resetAndDestroy());
    server.on('close', () => {
      this.#down?.stop();
      if (this.#isHalfOpen) this.#onEnd();
      else this.#client.destroy();
    });
    this.#apply();
    this.#client.resume();
  }

  begin(id: number, fault: ProxyFault): void {
    switch (fault.kind) {
      case 'reset':
        this.#client.resetAndDestroy();
        this.#server?.resetAndDestroy();
        return;
      case 'broken-frames':
        this.#server?.write(brokenFrame);
        return;
      case 'oversized-frames':
        this.#sendOversized(fault.bytes);
        return;
      case 'half-open':
        if (this.#server === undefined) return;
        this.#isHalfOpen = true;
        this.#faults.set(id, fault);
        // Its window fills up, and nothing says why.
        this.#down!.conditions = { isHeld: true, corruptRate: 0 };
        this.#client.resetAndDestroy();
        return;
      default:
        this.#faults.set(id, fault);
        this.#apply();
    }
  }

  end(id: number): void {
    const fault = this.#faults.get(id);
    if (fault === undefined) return;
    this.#faults.delete(id);
    if (fault.kind === 'half-open') return void this.#server?.resetAndDestroy();
    this.#apply();
    this.open();
  }

  destroy(): void {
    this.#isHalfOpen = false;
    this.#client.destroy();
    this.#server?.destroy();
  }

  get #isHeld(): boolean {
    return [...this.#faults.values()].some(({ kind }) => kind === 'blackhole');
  }

  #apply(): void {
    if (this.#up === undefined || this.#isHalfOpen) return;
    const active = [...this.#faults.values()];
    this.#up.conditions = combined(active.map((fault) => conditionsOf(fault, 'server')));
    this.#down!.conditions = combined(active.map((fault) => conditionsOf(fault, 'client')));
  }

  /** Written as fast as the server reads, and no further than it lets it. */
  #sendOversized(bytes: number): void {
    const server = this.#server;
    if (server === undefined) return;
    server.write(oversizedFrameHeader(bytes));
    let rest = bytes;
    const more = (): void => {
      while (rest > 0 && server.writable) {
        const size = Math.min(rest, padding.length);
        rest -= size;
        if (!server.write(padding.subarray(0, size))) return void server.once('drain', more);
      }
    };
    more();
  }
}

function conditionsOf(fault: ProxyFault, towards: 'server' | 'client'): LineConditions {
  switch (fault.kind) {
    case 'network': {
      const { latencyMs = 0, jitterMs = 0, loss = 0, bytesPerSecond = Infinity } = fault;
      return { isHeld: false, corruptRate: 0, latencyMs, jitterMs, loss, bytesPerSecond };
    }
    case 'corrupt':
      return { isHeld: false, corruptRate: fault.towards === towards ? fault.rate : 0 };
    default:
      return { isHeld: fault.kind === 'blackhole', corruptRate: 0 };
  }
}
