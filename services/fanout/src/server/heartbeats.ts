interface Beating {
  heartbeat(): void;
}

const slots = 16;

/** Calls each member's heartbeat() once in `heartbeatMs`, spread over the interval so that thousands are not called at once. */
export class Heartbeats<T extends Beating> {
  readonly #members = new Set<T>();
  readonly #slotMs: number;
  #timer: NodeJS.Timeout | undefined;
  // A set's iterator tolerates additions and deletions.
  #round = this.#members.values();
  #left = 0;
  #perSlot = 0;

  constructor(heartbeatMs: number) {
    this.#slotMs = heartbeatMs / slots;
    this.start();
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#beat(), this.#slotMs).unref();
  }

  add(member: T): void {
    this.#members.add(member);
  }

  delete(member: T): void {
    this.#members.delete(member);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #beat(): void {
    if (this.#left === 0) {
      this.#left = slots;
      this.#round = this.#members.values();
      this.#perSlot = Math.ceil(this.#members.size / slots);
    }
    // The last slot includes members that were added during the round.
    let due = --this.#left === 0 ? Number.POSITIVE_INFINITY : this.#perSlot;
    while (due-- > 0) {
      const next = this.#round.next();
      if (next.done === true) return;
      next.value.heartbeat();
    }
  }
}
