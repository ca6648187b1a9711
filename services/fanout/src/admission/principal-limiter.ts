import type { AddressSlot } from './address-limiter.ts';
import { RateLimit } from './rate-limit.ts';

export interface PrincipalLimits {
  /** The rate of new subscriptions of a principal, over all its connections: each compiles a filter and may read history. */
  subscribesPerSecond: number;
  burst: number;
}

/** What one connection may do on behalf of its address and its principal. */
export interface ConnectionSlot extends AddressSlot {
  /** Whether one more subscription may begin. */
  admitSubscribe(nowMs: number): boolean;
}

interface Account {
  rate: RateLimit;
  connections: number;
}

/**
 * Charges principals for their subscriptions, whichever connection they use: many connections allow no more than one. The caller names the
 * principal: a token's subject, or else the address.
 */
export class PrincipalLimiter {
  readonly #limits: PrincipalLimits;
  readonly #accounts = new Map<string, Account>();

  constructor(limits: PrincipalLimits) {
    this.#limits = limits;
  }

  /** Adds the principal's limits to an address's slot; without a principal nothing is charged. */
  enter(address: AddressSlot, principal: string | undefined): ConnectionSlot {
    if (principal === undefined)
      return {
        admitMessage: (nowMs) => address.admitMessage(nowMs),
        admitSubscribe: () => true,
        release: () => address.release(),
      };
    const account = this.#account(principal);
    account.connections++;
    return {
      admitMessage: (nowMs) => address.admitMessage(nowMs),
      admitSubscribe: (nowMs) => account.rate.admit(nowMs),
      release: () => {
        // The bucket is forgotten only once the last connection is gone and the bucket would be full again.
        if (--account.connections === 0) this.#forgetLater(principal, account);
        address.release();
      },
    };
  }

  #account(principal: string): Account {
    let account = this.#accounts.get(principal);
    if (account === undefined) {
      const { subscribesPerSecond, burst } = this.#limits;
      account = { rate: new RateLimit(subscribesPerSecond, burst, performance.now()), connections: 0 };
      this.#accounts.set(principal, account);
    }
    return account;
  }

  #forgetLater(principal: string, account: Account): void {
    const { subscribesPerSecond, burst } = this.#limits;
    const refillMs = (1000 * burst) / subscribesPerSecond;
    setTimeout(() => {
      if (account.connections === 0) this.#accounts.delete(principal);
    }, refillMs).unref();
  }
}
