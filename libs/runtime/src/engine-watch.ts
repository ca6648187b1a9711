/** Time is counted in turns of a timer, not by the clock: a process that was itself held up has not waited for an answer. */
const tickMs = 250;
/** An engine that was silent for so many turns, with calls waiting for it, is pinged: 1 s. */
const quietTicks = 4;
/** One that has answered neither calls nor pings for so many turns counts as frozen: 3 s. */
const frozenTicks = 12;
/** A ping that has no answer after so many turns goes again: 2 s. */
const pingTicks = 8;
/** A write that was given up holds back its repetition for so long at most: its connection may have been lost without a word. */
const heldBackMs = 60_000;

/** Resolves when the engine answers anything at all; rejects when the signal aborts. */
export type EnginePing = (signal: AbortSignal) => Promise<unknown>;

export interface WatchedEngine {
  /** As the health and the status name it. */
  name: string;
  ping: EnginePing;
  /** The error of calls while the engine does not answer. */
  unavailable: (message: string) => Error;
}

export interface GuardOptions<T> {
  /** Calls that wait for work rather than for an answer; they are not watched. */
  unwatched?: readonly (keyof T)[];
  /**
   * Writes that the caller repeats until they succeed. While the engine may still work on one that was given up, the next of its name
   * rejects: an engine that is slow rather than frozen would otherwise get the same work once more on top of the old.
   */
  repeated?: readonly (keyof T)[];
}

/**
 * Knows whether an engine answers, and fails at once what is asked of one that does not. A frozen process keeps its connections, so
 * that no error ends what waits for it; a limit for each call must allow for the slowest query, and each call would wait that long.
 * So an engine that is silent while calls wait is pinged, and when it does not answer that either, all that waits for it rejects, and
 * whatever else is asked until a ping is answered.
 */
export class EngineWatch {
  readonly name: string;
  readonly #engine: WatchedEngine;
  readonly #waiting = new Set<(error: Error) => void>();
  /** Repeated writes that were given up and have not settled, by name. */
  readonly #heldBack = new Map<PropertyKey, Set<Promise<unknown>>>();
  #silentTicks = 0;
  #isFrozen = false;
  #ping: { stop: AbortController; ticks: number } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(engine: WatchedEngine) {
    this.name = engine.name;
    this.#engine = engine;
  }

  /** Whether the engine is known to give no answer. */
  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  /** Rejects with the engine's error instead of `work` while the engine does not answer. */
  async call<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isFrozen) throw this.#error();
    let reject!: (error: Error) => void;
    const frozen = new Promise<never>((_, r) => (reject = r));
    this.#waiting.add(reject);
    this.#start();
    try {
      const result = await Promise.race([work(), frozen]);
      this.#silentTicks = 0;
      return result;
    } finally {
      this.#waiting.delete(reject);
    }
  }

  /** The same port, with all calls that return a promise watched. */
  guard<T extends { close: () => Promise<void> }>(
    port: T,
    { unwatched = [], repeated = [] }: GuardOptions<T> = {},
  ): T {
    const watched = new Map<PropertyKey, unknown>();
    return new Proxy(port, {
      get: (target, name) => {
        let method = watched.get(name);
        if (method !== undefined) return method;
        const value = Reflect.get(target, name, target) as unknown;
        if (typeof value !== 'function') return value;
        const bound = (value as (...args: unknown[]) => unknown).bind(target);
        if (name === 'close') method = () => this.#close(bound as T['close']);
        else if (unwatched.includes(name as keyof T)) method = bound;
        else if (repeated.includes(name as keyof T))
          method = (...args: unknown[]) => this.#writeOnce(name, () => bound(...args) as Promise<unknown>);
        else method = (...args: unknown[]) => this.#watched(() => bound(...args));
        watched.set(name, method);
        return method;
      },
    });
  }

  async #writeOnce(name: PropertyKey, write: () => Promise<unknown>): Promise<unknown> {
    const heldBack = this.#heldBack.get(name) ?? new Set<Promise<unknown>>();
    this.#heldBack.set(name, heldBack);
    if (heldBack.size > 0)
      throw this.#engine.unavailable(`${this.name} may still be at work on an earlier write`);
    let running: Promise<unknown> | undefined;
    let isSettled = false;
    try {
      return await this.call(() => (running = write().finally(() => (isSettled = true))));
    } finally {
      if (running !== undefined && !isSettled) this.#holdBack(heldBack, running);
    }
  }

  #holdBack(heldBack: Set<Promise<unknown>>, running: Promise<unknown>): void {
    const release = (): void => void heldBack.delete(running);
    heldBack.add(running);
    running.then(release, release);
    setTimeout(release, heldBackMs).unref();
  }

  #watched(work: () => unknown): unknown {
    if (this.#isFrozen) return Promise.reject(this.#error());
    const result = work();
    return result instanceof Promise ? this.call(() => result) : result;
  }

  /** Closing may say goodbye to the engine: nobody waits for one that is frozen. */
  async #close(close: () => Promise<void>): Promise<void> {
    const closing = close();
    closing.catch(() => {});
    try {
      await this.call(() => closing);
    } catch (error) {
      if (!this.#isFrozen) throw error;
    } finally {
      this.#isClosed = true;
      this.#stop();
    }
  }

  #start(): void {
    if (this.#isClosed || this.#timer !== undefined) return;
    // It is no reason for a process to stay.
    this.#timer = setInterval(() => this.#tick(), tickMs).unref();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#ping?.stop.abort();
    this.#ping = undefined;
  }

  #tick(): void {
    if (this.#waiting.size === 0) this.#silentTicks = 0;
    else this.#silentTicks++;
    if (this.#isFrozen || this.#silentTicks >= quietTicks) this.#sendPing();
    if (!this.#isFrozen && this.#silentTicks >= frozenTicks) {
      this.#isFrozen = true;
      for (const reject of this.#waiting) reject(this.#error());
    }
    if (this.#waiting.size === 0 && !this.#isFrozen) this.#stop();
  }

  #sendPing(): void {
    if (this.#ping !== undefined && ++this.#ping.ticks < pingTicks) return;
    this.#ping?.stop.abort();
    const stop = new AbortController();
    this.#ping = { stop, ticks: 0 };
    this.#engine.ping(stop.signal).then(
      () => {
        if (stop.signal.aborted) return;
        this.#silentTicks = 0;
        this.#isFrozen = false;
        this.#ping = undefined;
        stop.abort();
      },
      // Refused at once: the turns go on, and the next ping comes with them.
      () => {},
    );
  }

  #error(): Error {
    return this.#engine.unavailable(`${this.name} does not answer`);
  }
}
