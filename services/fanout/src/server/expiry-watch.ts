const lookMs = 1_000;

interface Expiring {
  expire(): void;
}

/** Calls expire() within a second after a member's time is up. One timer serves all; none runs while no member expires. */
export class ExpiryWatch {
  readonly #ends = new Map<Expiring, number>();
  #timer: NodeJS.Timeout | undefined;

  /** `endMs`: milliseconds since 1970. */
  add(member: Expiring, endMs: number): void {
    this.#ends.set(member, endMs);
    this.#timer ??= setInterval(() => this.#look(), lookMs).unref();
  }

  delete(member: Expiring): void {
    if (!this.#ends.delete(member) || this.#ends.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const now = Date.now();
    for (const [member, end] of this.#ends) if (end <= now) member.expire();
  }
}
