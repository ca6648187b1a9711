/** A refusal counts for so long unless it is repeated: an operation that nobody asks for any more says nothing about now, ms. */
const believedMs = 30_000;

/**
 * What an engine refuses at present, for a service's readiness: the login, or single operations, as an engine may grant reading and refuse
 * writing. Each counts until the engine does the same.
 */
export class AccessFaults {
  readonly #found = new Map<string | undefined, { fault: string; atMs: number }>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** `operation`: what this client may not do; undefined: it is not let in at all. */
  refused(fault: string, operation?: string): void {
    this.#found.set(operation, { fault, atMs: this.#nowMs() });
  }

  /** The engine did the operation; without one, it let this client in. */
  taken(operation?: string): void {
    // It is called for every answer.
    if (this.#found.size === 0) return;
    this.#found.delete(operation);
    this.#found.delete(undefined);
  }

  /** Why the engine refuses something, with the setting to look at; undefined: it refuses nothing. */
  get current(): string | undefined {
    const now = this.#nowMs();
    for (const [operation, { fault, atMs }] of this.#found) {
      if (now - atMs < believedMs) return fault;
      this.#found.delete(operation);
    }
    return undefined;
  }
}
