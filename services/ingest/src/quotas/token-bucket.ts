/**
 * A rate with a burst. It is charged when the amount is known, so it may go into debt; whoever is in debt waits until it is paid off.
 * In the long run no more than the rate gets through. Times are in milliseconds.
 */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  constructor(perSecond: number, burstSeconds: number, now: number) {
    this.#perMs = perSecond / 1000;
    this.#burst = this.#tokens = perSecond * burstSeconds;
    this.#at = now;
  }

  /** How long until something may be taken again; 0: now. */
  waitMs(now: number): number {
    this.#fill(now);
    return this.#tokens > 0 ? 0 : Math.floor(-this.#tokens / this.#perMs) + 1;
  }

  take(amount: number, now: number): void {
    this.#fill(now);
    this.#tokens -= amount;
  }

  #fill(now: number): void {
    // A clock that was set back must not take anything away.
    if (now > this.#at) this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMs);
    this.#at = now;
  }
}
