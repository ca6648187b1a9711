/** The times at which paused subscriptions resume by themselves; created when a viewer first pauses one. */
export class Pauses {
  readonly #timers = new Map<string, NodeJS.Timeout>();

  /** Calls `resume` after `forMs`, unless clear() comes first. */
  set(id: string, forMs: number, resume: () => void): void {
    this.clear(id);
    const go = (): void => {
      this.#timers.delete(id);
      resume();
    };
    this.#timers.set(id, setTimeout(go, forMs).unref());
  }

  clear(id: string): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }

  close(): void {
    for (const id of this.#timers.keys()) this.clear(id);
  }
}
