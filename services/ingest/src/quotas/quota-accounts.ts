import type { Quota } from '@logloom/auth';
import { IngestError } from '../errors.ts';
import { TokenBucket } from './token-bucket.ts';

/** More names are not kept: the least recent one is forgotten first. */
const maxAccounts = 10_000;

export interface Usage {
  events?: number;
  bytes?: number;
}

/** The wait until a sender over its quota may send again. */
export interface Debt {
  waitMs: number;
  what: keyof Usage;
}

/** Holds one sender to its quota. */
export interface Meter {
  /** Throws IngestError `quota-exceeded` with the time of the wait while the sender is over its quota. */
  admit: () => void;
  charge: (usage: Usage) => void;
}

interface Account {
  /** The quota that the buckets were made for: a changed one makes new buckets. */
  terms: Quota;
  events: TokenBucket | undefined;
  bytes: TokenBucket | undefined;
}

/** The token buckets of many senders of one kind: keys, services, addresses. */
export class QuotaAccounts {
  readonly #accounts = new Map<string, Account>();

  get size(): number {
    return this.#accounts.size;
  }

  /** Returns undefined when more may be taken. */
  debtOf(name: string, quota: Quota): Debt | undefined {
    const { events, bytes } = this.#account(name, quota);
    const nowMs = performance.now();
    const [eventsMs, bytesMs] = [events?.waitMs(nowMs) ?? 0, bytes?.waitMs(nowMs) ?? 0];
    if (eventsMs === 0 && bytesMs === 0) return undefined;
    return eventsMs >= bytesMs ? { waitMs: eventsMs, what: 'events' } : { waitMs: bytesMs, what: 'bytes' };
  }

  charge(name: string, quota: Quota, used: Usage): void {
    const { events, bytes } = this.#account(name, quota);
    const nowMs = performance.now();
    if (used.events !== undefined) events?.take(used.events, nowMs);
    if (used.bytes !== undefined) bytes?.take(used.bytes, nowMs);
  }

  #account(name: string, terms: Quota): Account {
    let account = this.#accounts.get(name);
    if (account === undefined || !areSame(account.terms, terms)) {
      const bucket = (rate: number | undefined): TokenBucket | undefined =>
        rate === undefined ? undefined : new TokenBucket(rate, terms.burstSeconds, performance.now());
      account = { terms, events: bucket(terms.eventsPerSecond), bytes: bucket(terms.bytesPerSecond) };
    }
    // A Map keeps the order of insertion: the first is the least recent.
    this.#accounts.delete(name);
    this.#accounts.set(name, account);
    if (this.#accounts.size > maxAccounts) this.#accounts.delete(this.#accounts.keys().next().value!);
    return account;
  }
}

/** `who` is a description such as "the key shop". */
export function quotaError(who: string, { waitMs, what }: Debt): IngestError {
  const seconds = Math.ceil(waitMs / 1000);
  return new IngestError(
    'quota-exceeded',
    `${who} has sent more ${what} than its quota; retry in ${seconds} s`,
    { retryAfterSeconds: seconds },
  );
}

function areSame(a: Quota, b: Quota): boolean {
  return (
    a === b ||
    (a.eventsPerSecond === b.eventsPerSecond &&
      a.bytesPerSecond === b.bytesPerSecond &&
      a.burstSeconds === b.burstSeconds)
  );
}
