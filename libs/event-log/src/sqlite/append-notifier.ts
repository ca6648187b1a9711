import { BroadcastChannel } from 'node:worker_threads';

/**
 * Notifies the readers in this process, on every thread, that a topic has grown. This is only a hint: readers also poll, so a lost hint
 * costs latency, not records.
 */
export class AppendNotifier {
  readonly #channel: BroadcastChannel;
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #listeners = new Set<(topic: string) => void>();

  constructor(name: string) {
    this.#channel = new BroadcastChannel(name);
    this.#channel.unref();
    this.#channel.onmessage = (message: unknown) => this.#wake((message as { data: string }).data);
  }

  /** Wakes the readers of a topic. */
  announce(topic: string): void {
    this.#channel.postMessage(topic);
    this.#wake(topic);
  }

  /** Resolves at the next announcement, after `timeoutMs`, or when the signal aborts. */
  async wait(topic: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    let waiting = this.#waiting.get(topic);
    if (waiting === undefined) this.#waiting.set(topic, (waiting = new Set()));
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      signal.addEventListener('abort', done);
      waiting.add(done);
    });
  }

  /** Calls the listener at each announcement; returns the function that removes it. */
  listen(listener: (topic: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#channel.close();
  }

  #wake(topic: string): void {
    for (const listener of this.#listeners) listener(topic);
    for (const done of [...(this.#waiting.get(topic) ?? [])]) done();
  }
}
