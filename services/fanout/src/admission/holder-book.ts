import type { AddressSeat } from './address-book.ts';
import { RateLimit } from './rate-limit.ts';

export interface HolderLimits {
  /** Subscriptions that a holder begins, on all its connections: a filter to compile, and a past to read. */
  subscribesPerSecond: number;
  burst: number;
}

/** What a connection may do on behalf of its address and its holder. */
export interface Seat extends AddressSeat {
  /** Whether one more subscription may begin. */
  admitSubscribe(nowMs: number): boolean;
}

/**
 * Charges holders for what their subscriptions cost, whichever connection they come by: many connections buy no more than one. A holder
 * is a token's subject, or else the address; loopback without a token is not counted.
 */
export class HolderBook {
  readonly #limits: HolderLimits;
  readonly #holders = new Map<string, { rate: RateLimit; seats: number }>();

  constructor(limits: HolderLimits) {
    this.#limits = limits;
  }

  /** The address's seat with the holder's costs; `holder` undefined: nothing is charged. */
  seat(address: AddressSeat, holder: string | undefined): Seat {
    if (holder === undefined)
      return {
        admitMessage: (nowMs) => address.admitMessage(nowMs),
        admitSubscribe: () => true,
        leave: () => address.leave(),
      };
    const account = this.#account(holder);
    account.seats++;
    return {
      admitMessage: (nowMs) => address.admitMessage(nowMs),
      admitSubscribe: (nowMs) => account.rate.admit(nowMs),
      leave: () => {
        // What was spent is forgotten with the last connection only when it would have come back by now.
        if (--account.seats === 0) this.#settle(holder, account);
        address.leave();
      },
    };
  }

  #account(holder: string): { rate: RateLimit; seats: number } {
    let account = this.#holders.get(holder);
    if (account === undefined) {
      const { subscribesPerSecond, burst } = this.#limits;
      account = { rate: new RateLimit(subscribesPerSecond, burst, performance.now()), seats: 0 };
      this.#holders.set(holder, account);
    }
    return account;
  }

  #settle(holder: string, account: { seats: number }): void {
    const { subscribesPerSecond, burst } = this.#limits;
    const refillMs = (1000 * burst) / subscribesPerSecond;
    setTimeout(() => {
      if (account.seats === 0) this.#holders.delete(holder);
    }, refillMs).unref();
  }
}
