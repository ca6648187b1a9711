import { priorities, rankOf, type Priority } from '../protocol/priority.ts';

/** How long waiting work may occupy the event loop before sockets and timers run, ms. */
const sliceMs = 2;

/**
 * Runs waiting pieces of work for a bounded time in each turn of the event loop: however many wait, they delay everything else by no
 * more than that and the longest piece. Higher priorities come first, then first come, first served.
 */
export class EventLoopQueue {
  readonly #queues = priorities.map((): (() => void)[] => []);
  readonly #heads = priorities.map(() => 0);
  #scheduled = false;
  #untilMs = 0;

  /** Resolves when the caller has its slot, which lasts until its next await. */
  slot(priority: Priority = 'normal'): Promise<void> {
    return new Promise((resolve) => {
      this.#queues[rankOf(priority)]!.push(resolve);
      if (this.#scheduled) return;
      this.#scheduled = true;
      setImmediate(() => this.#slice());
    });
  }

  #slice(): void {
    this.#untilMs = performance.now() + sliceMs;
    this.#next();
  }

  #next(): void {
    const resolve = this.#shift();
    if (resolve === undefined) {
      this.#scheduled = false;
      return;
    }
    resolve();
    // The caller runs in the microtask that resolve() has queued; microtasks queued here run after it.
    queueMicrotask(this.#goOn);
  }

  readonly #goOn = (): void => {
    if (performance.now() < this.#untilMs) this.#next();
    else setImmediate(() => this.#slice());
  };

  #shift(): (() => void) | undefined {
    for (let rank = priorities.length - 1; rank >= 0; rank--) {
      const queue = this.#queues[rank]!;
      const head = this.#heads[rank]!;
      if (head === queue.length) continue;
      this.#heads[rank] = head + 1;
      const resolve = queue[head];
      if (head + 1 === queue.length || head === 1023) {
        queue.splice(0, head + 1);
        this.#heads[rank] = 0;
      }
      return resolve;
    }
    return undefined;
  }
}
