/**
 * A rate with a burst. It is charged once the amount is known, so it may go into debt, and then a sender waits until the debt is paid off.
 * In the long run no more than the rate gets through.
 */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #atMs: number;

  constructor(perSecond: number, burstSeconds: number, nowMs: number) {
    this.#perMs = perSecond / 1000;
    this.#burst = this.#tokens = perSecond * burstSeconds;
    this.#atMs = nowMs;
  }

  /** Returns the time until something may be taken again; 0: now. */
  waitMs(nowMs: number): number {
    this.#fill(nowMs);
    return this.#tokens > 0 ? 0 : Math.floor(-this.#tokens / this.#perMs) + 1;
  }

  take(amount: number, nowMs: number): void {
    this.#fill(nowMs);
    this.#tokens -= amount;
  }

  #fill(nowMs: number): void {
    // A clock that goes back must not take anything away.
    if (nowMs > this.#atMs)
      this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
  }
}
