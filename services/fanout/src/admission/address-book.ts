import { isLoopback, networkOf } from '@logloom/auth';
import { RateLimit } from './rate-limit.ts';

export interface AddressLimits {
  connections: number;
  /** Of all its connections together; twice as many at once. */
  messagesPerSecond: number;
}

/** A connection's share of what its address may do. */
export interface AddressSeat {
  admitMessage(nowMs: number): boolean;
  leave(): void;
}

const unlimited: AddressSeat = { admitMessage: () => true, leave: () => {} };

class Address implements AddressSeat {
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

  leave(): void {
    if (--this.connections === 0) this.#onEmpty();
  }
}

/** Counts connections and messages by the address that they come from. Loopback is this machine itself: nothing is counted. */
export class AddressBook {
  readonly #limits: AddressLimits;
  readonly #addresses = new Map<string, Address>();

  constructor(limits: AddressLimits) {
    this.#limits = limits;
  }

  /** A seat for one more connection, to be left once; undefined when the address has as many as it may. */
  enter(address: string | undefined): AddressSeat | undefined {
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
