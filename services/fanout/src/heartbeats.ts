interface Beating {
  heartbeat(): void;
}

const slots = 16;

/** Calls each member's heartbeat() once in `heartbeatMs`, spread over the interval so that thousands do not beat at once. */
export class Heartbeats<T extends Beating> {
  readonly #sets: Set<T>[] = Array.from({ length: slots }, () => new Set<T>());
  readonly #timer: NodeJS.Timeout;
  #next = 0;
  #adding = 0;

  constructor(heartbeatMs: number) {
    this.#timer = setInterval(() => this.#beat(), heartbeatMs / slots);
    this.#timer.unref();
  }

  /** Gives the function that takes the member out again. */
  add(member: T): () => void {
    const set = this.#sets[this.#adding++ % slots]!;
    set.add(member);
    return () => set.delete(member);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #beat(): void {
    for (const member of this.#sets[this.#next++ % slots]!) member.heartbeat();
  }
}
