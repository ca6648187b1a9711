/** Silences in a row after which a receiver is left alone for a while. */
const mostSilences = 3;
/** How long at first; it doubles with each silence after that. */
const firstPauseMs = 10_000;
const longestPauseMs = 300_000;

interface Health {
  silences: number;
  pauseMs: number;
  /** Until when it is left alone, ms since 1970. */
  untilMs: number;
  isProbed: boolean;
}

/**
 * Which receivers answer at present. One that does not is asked by one message at a time, after growing pauses, so that messages to it do not
 * occupy the workers that others need. Known to this process alone: it saves time, and decides nothing else.
 */
export class ReceiverHealth {
  readonly #silent = new Map<string, Health>();

  /** 0 if it may be asked now, and then answered() or silent() has to follow; else how long to wait, ms. */
  waitMs(receiver: string, nowMs: number): number {
    const health = this.#silent.get(receiver);
    if (health === undefined || health.silences < mostSilences) return 0;
    if (nowMs < health.untilMs) return health.untilMs - nowMs;
    if (health.isProbed) return health.pauseMs;
    health.isProbed = true;
    return 0;
  }

  answered(receiver: string): void {
    this.#silent.delete(receiver);
  }

  /** Returns how long it is left alone, ms; 0: it is not yet. */
  silent(receiver: string, nowMs: number): number {
    const silences = (this.#silent.get(receiver)?.silences ?? 0) + 1;
    const pauses = silences - mostSilences;
    const pauseMs = pauses < 0 ? 0 : Math.min(firstPauseMs * 2 ** pauses, longestPauseMs);
    this.#silent.set(receiver, { silences, pauseMs, untilMs: nowMs + pauseMs, isProbed: false });
    return pauseMs;
  }
}
