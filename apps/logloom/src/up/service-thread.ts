import type { Trouble } from '@logloom/runtime';
import { storageTrouble } from '@logloom/sqlite/storage-trouble';
import type { Logger } from '@logloom/telemetry';
import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type {
  FromThread,
  ThreadCall,
  ThreadData,
  ThreadResults,
  ThreadService,
  ToThread,
} from './thread-protocol.ts';

const maxRestarts = 5;
/** A thread that cannot store is restarted forever, with the pause that follows this many restarts. */
const storageRestarts = 4;
/** A thread that has run this long counts as healthy again, ms. */
const healthyMs = 60_000;
/** How long a call waits for a thread that is starting, ms. */
const maxStartMs = 10_000;

interface Pending {
  resolve: (result: never) => void;
  reject: (error: Error) => void;
}

/**
 * A service on a worker thread. A failed service is restarted, with a growing pause: its work is in the log, so nothing is lost meanwhile.
 * One that keeps failing ends the process, so that its supervisor notices.
 */
export class ServiceThread {
  readonly service: ThreadService;
  isReady = false;
  readonly #data: ThreadData;
  readonly #logger: Logger;
  #worker: Worker | undefined;
  #stopping = false;
  #wasReady = false;
  #nextId = 0;
  readonly #pending = new Map<number, Pending>();
  /** Changes state when the thread is ready, or has to stop. */
  readonly #events = new EventEmitter().setMaxListeners(0);

  constructor(data: ThreadData, logger: Logger) {
    this.service = data.service;
    this.#data = data;
    this.#logger = logger;
  }

  /**
   * Runs the thread until stop(); `onReady` is called at each start, and after `onNotReady`. Rejects if it failed too often, or before it
   * was ever ready. `isLate`: other services are ready, so it waits for disk space if it cannot store.
   */
  async run(
    onReady: () => void,
    onNotReady: (trouble?: Trouble) => void = () => {},
    isLate = false,
  ): Promise<void> {
    for (let restarts = 0; ; restarts++) {
      const startedAtMs = Date.now();
      const error = await this.#runOnce(onReady, onNotReady);
      if (this.#stopping) return;
      // A service that fails before it was ever ready will not recover by waiting, for example because its port is in use.
      const waits = storageTrouble(error) !== undefined && (this.#wasReady || isLate);
      if (!this.#wasReady && !waits) throw error;
      if (Date.now() - startedAtMs > healthyMs) restarts = 0;
      // Time or an operator fixes it, and the process is useful meanwhile.
      if (waits) restarts = Math.min(restarts, storageRestarts);
      if (restarts === maxRestarts)
        throw new Error(`${this.service} failed ${maxRestarts + 1} times`, { cause: error });
      this.#logger.warn({ err: error, thread: this.service }, 'a service failed and is restarted');
      await sleep(2 ** restarts * 100);
    }
  }

  /** Lets the thread drain; run() resolves when it has. */
  stop(): void {
    this.#stopping = true;
    this.#events.emit('change');
    this.#send({ type: 'stop' });
  }

  /**
   * Calls the thread, once it has started. Rejects if that takes too long, or the thread dies before it has answered. The thread is told
   * when the signal aborts, and then answers sooner.
   */
  async call<C extends ThreadCall>(call: C, signal?: AbortSignal): Promise<ThreadResults[C['name']]> {
    if (!this.isReady && !this.#stopping)
      await once(this.#events, 'change', { signal: AbortSignal.timeout(maxStartMs) });
    if (!this.isReady) throw new Error(`${this.service} is not ready`);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const cancel = (): void => this.#send({ type: 'cancel', id });
      signal?.addEventListener('abort', cancel, { once: true });
      const over = (): void => signal?.removeEventListener('abort', cancel);
      this.#pending.set(id, {
        resolve: (result) => (over(), resolve(result)),
        reject: (error) => (over(), reject(error)),
      });
      this.#send({ type: 'call', id, call });
    });
  }

  /** Resolves with the reason when the thread has ended. */
  #runOnce(onReady: () => void, onNotReady: (trouble?: Trouble) => void): Promise<unknown> {
    const worker = new Worker(new URL('start-thread.js', import.meta.url), {
      workerData: this.#data,
    });
    this.#worker = worker;
    if (this.#stopping) this.stop();
    return new Promise((resolve) => {
      let failure: unknown;
      worker.on('message', (message: FromThread) => {
        if (message.type === 'ready') {
          this.isReady = this.#wasReady = true;
          this.#events.emit('change');
          onReady();
          return;
        }
        if (message.type === 'not-ready') {
          onNotReady(message.trouble);
          return;
        }
        const pending = this.#pending.get(message.id);
        this.#pending.delete(message.id);
        if (message.type === 'result') pending?.resolve(message.result as never);
        else pending?.reject(new Error(message.message));
      });
      worker.on('error', (error: unknown) => (failure = error));
      worker.on('exit', (code) => {
        this.isReady = false;
        for (const { reject } of this.#pending.values()) reject(new Error(`${this.service} has stopped`));
        this.#pending.clear();
        resolve(failure ?? new Error(`${this.service} exited with ${code}`));
      });
    });
  }

  #send(message: ToThread): void {
    this.#worker?.postMessage(message);
  }
}
