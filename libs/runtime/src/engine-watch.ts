/** Time is counted in turns of a timer, not by the clock: while this process is held up, it does not wait for an answer. */
const tickMs = 250;
/** An engine that is silent for this many turns while calls wait for it is pinged: 1 s. */
const quietTicks = 4;
/** An engine that answers neither calls nor pings for this many turns counts as frozen: 3 s. */
const frozenTicks = 12;
/** A ping without an answer is repeated after this many turns: 2 s. */
const pingTicks = 8;
/** An abandoned write holds back its repetition for at most this time: its connection may have been lost silently, ms. */
const heldBackMs = 60_000;

/** Resolves when the engine answers anything at all; rejects when the signal aborts. */
export type EnginePing = (signal: AbortSignal) => Promise<unknown>;

export interface WatchedEngine {
  /** The engine's name in health and status. */
  name: string;
  ping: EnginePing;
  /** The error of calls while the engine does not answer. */
  unavailable: (message: string) => Error;
}

export interface GuardOptions<T> {
  /** Calls that wait for work instead of an answer; they are not watched. */
  unwatched?: readonly (keyof T)[];
  /**
   * Writes that the caller repeats until they succeed. While the engine may still work on an abandoned one, the next call of the same name
   * rejects: a slow engine would otherwise get the same work again on top of the old.
   */
  repeated?: readonly (keyof T)[];
}

/**
 * Knows whether an engine answers, and makes calls to one that does not fail at once. A frozen process keeps its connections, so no error
 * ends the calls that wait for it; a limit for each call must allow for the slowest query, and each call would wait that long. So an engine
 * that is silent while calls wait is pinged. If it does not answer the ping either, all waiting calls reject, and so do new ones until a
 * ping is answered.
 */
export class EngineWatch {
  readonly name: string;
  readonly #engine: WatchedEngine;
  readonly #waiting = new Set<(error: Error) => void>();
  /** Abandoned writes that have not settled, by name. */
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

  /** Whether the engine is known not to answer. */
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

  /** Closing may send something to the engine; a frozen one is not waited for. */
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
    // It must not keep the process alive.
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
      // Refused at once: the turns continue, and the next ping comes with them.
      () => {},
    );
  }

  #error(): Error {
    return this.#engine.unavailable(`${this.name} does not answer`);
  }
}
