import { isLoopback, networkOf } from '@logloom/auth';
import { RateLimit } from './rate-limit.ts';

export interface AddressLimits {
  connections: number;
  /** Over all connections of the address; twice as many at once. */
  messagesPerSecond: number;
}

/** One connection's share of its address's limits. */
export interface AddressSlot {
  admitMessage(nowMs: number): boolean;
  /** Frees the slot; called once. */
  release(): void;
}

const unlimited: AddressSlot = { admitMessage: () => true, release: () => {} };

class Address implements AddressSlot {
  connections = 0;
  readonly #messages: RateLimit;
  readonly #onEmpty: () => void;

  constructor({ messagesPerSecond }: AddressLimits, onEmpty: () => void) {
    this.#messages = new RateLimit(messagesPerSecond, 2 * messagesPerSecond, performance.now());
    this.#onEmpty = onEmpty;
  }

  admitMessage(nowMs: number): boolean {
    return this.#messages.admit(nowMs);
  }

  release(): void {
    if (--this.connections === 0) this.#onEmpty();
  }
}

/** Limits connections and messages per client address. Loopback is this machine itself and has no limit. */
export class AddressLimiter {
  readonly #limits: AddressLimits;
  readonly #addresses = new Map<string, Address>();

  constructor(limits: AddressLimits) {
    this.#limits = limits;
  }

  /** Returns a slot for one more connection; undefined when the address has reached its limit. */
  enter(address: string | undefined): AddressSlot | undefined {
    if (address === undefined || isLoopback(address)) return unlimited;
    const key = networkOf(address);
    let found = this.#addresses.get(key);
    if (found === undefined) {
      found = new Address(this.#limits, () => this.#addresses.delete(key));
      this.#addresses.set(key, found);
    }
    if (found.connections >= this.#limits.connections) return undefined;
    found.connections++;
    return found;
  }
}
