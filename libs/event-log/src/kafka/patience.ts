/** How long calls still try once the service has to end, in ms: a leader that moves takes a few seconds. */
const drainMs = 8_000;

/** How long calls try before they give up: each for its own time, and all of them for a few seconds once the service has to end. */
export class Patience {
  readonly #ms: number;
  readonly #rearm = new Set<() => void>();
  #endsAt = Infinity;
  readonly #onDrained = new Set<() => void>();

  constructor(ms: number, draining?: AbortSignal) {
    this.#ms = ms;
    const onDraining = (): void => {
      this.#endsAt = Date.now() + drainMs;
      for (const rearm of this.#rearm) rearm();
      setTimeout(() => this.#onDrained.forEach((callback) => callback()), drainMs).unref();
    };
    if (draining?.aborted === true) onDraining();
    else draining?.addEventListener('abort', onDraining, { once: true });
  }

  /** How long a call that began at `since` (Date.now()) may still try, in ms; 0 or less when it gives up. */
  left(sinceMs: number): number {
    return Math.min(sinceMs + this.#ms, this.#endsAt) - Date.now();
  }

  /** Calls back when a call that began at `since` gives up, unless the returned function is called before. */
  whenOver(sinceMs: number, callback: () => void): () => void {
    let timer: NodeJS.Timeout | undefined;
    const arm = (): void => {
      clearTimeout(timer);
      timer = setTimeout(callback, Math.max(1, this.left(sinceMs)));
    };
    this.#rearm.add(arm);
    arm();
    return () => {
      clearTimeout(timer);
      this.#rearm.delete(arm);
    };
  }

  /**
   * Settles as the work does, or rejects once the time for draining is over: kafkajs would keep retrying for many more seconds when no
   * broker answers.
   */
  async attempt<T>(work: () => Promise<T>): Promise<T> {
    const late = Promise.withResolvers<never>();
    late.promise.catch(() => {});
    const giveUp = (): void => late.reject(new Error('no answer before the service ends'));
    if (this.left(Infinity) <= 0) giveUp();
    this.#onDrained.add(giveUp);
    const running = work();
    running.catch(() => {});
    try {
      return await Promise.race([late.promise, running]);
    } finally {
      this.#onDrained.delete(giveUp);
    }
  }
}
