/** A token bucket: `perSecond` on average, `burst` at once. */
export class RateLimit {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #filledAtMs: number;

  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#filledAtMs = nowMs;
  }

  /** Whether one more may pass at this time. */
  admit(nowMs: number): boolean {
    this.#tokens = refilled(this.#tokens, this.#perSecond, this.#burst, nowMs - this.#filledAtMs);
    this.#filledAtMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}

/** What a bucket holds after `elapsedMs`. */
export function refilled(tokens: number, perSecond: number, burst: number, elapsedMs: number): number {
  return Math.min(burst, tokens + (elapsedMs / 1000) * perSecond);
}
