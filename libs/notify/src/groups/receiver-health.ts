/** Silences in a row after which a receiver is left alone for a while. */
const mostSilences = 3;
const pauseMs = 10_000;

interface Health {
  silences: number;
  /** Until when it is left alone, ms since 1970. */
  untilMs: number;
  isProbed: boolean;
}

/**
 * Which receivers answer at present. One that does not is asked by one message at a time, so that messages to it do not occupy the workers that
 * others need. Known to this process alone: it saves time, and decides nothing else.
 */
export class ReceiverHealth {
  readonly #silent = new Map<string, Health>();

  /** Whether it may be asked now; if so, answered() or silent() has to follow. */
  mayAsk(receiver: string, nowMs: number): boolean {
    const health = this.#silent.get(receiver);
    if (health === undefined || health.silences < mostSilences) return true;
    if (health.isProbed || nowMs < health.untilMs) return false;
    health.isProbed = true;
    return true;
  }

  answered(receiver: string): void {
    this.#silent.delete(receiver);
  }

  silent(receiver: string, nowMs: number): void {
    const silences = (this.#silent.get(receiver)?.silences ?? 0) + 1;
    this.#silent.set(receiver, { silences, untilMs: nowMs + pauseMs, isProbed: false });
  }
}
