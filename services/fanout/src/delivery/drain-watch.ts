const pollMs = 20;

/**
 * Polls slow sockets until they have taken enough. A socket's own 'drain' event comes only when its queue is empty, and not at
 * all below Node's mark; a budget is neither.
 */
export class DrainWatch {
  readonly #checks = new Set<() => boolean>();
  #timer: NodeJS.Timeout | undefined;

  /** Calls `check` now and then until it returns true. */
  add(check: () => boolean): void {
    this.#checks.add(check);
    this.#timer ??= setInterval(() => this.#poll(), pollMs).unref();
  }

  /** Resolves when the condition holds; at once if it does already. */
  async until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve) =>
      this.add(() => {
        const holds = condition();
        if (holds) resolve();
        return holds;
      }),
    );
  }

  #poll(): void {
    for (const check of this.#checks) if (check()) this.#checks.delete(check);
    if (this.#checks.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
