import type { Logger } from '@logloom/telemetry';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkerProcess } from './worker-process.ts';
import type { LiveNode } from '../server/live-node.ts';
import {
  joinPages,
  type ViewerDirectory,
  type ViewerId,
  type ViewerPage,
  type ViewerQuery,
} from '../server/viewer-directory.ts';
import type { WorkerAnswers, WorkerData, WorkerMetrics, WorkerQuestion } from './worker-protocol.ts';

export interface WorkersOptions {
  count: number;
  data: WorkerData;
  logger: Logger;
  /** Called whenever the number of workers that accept viewers has changed. */
  onReadyCount: (ready: number) => void;
}

const firstPauseMs = 100;
const maxPauseMs = 10_000;
/** A worker that has run this long counts as healthy again. */
const healthyMs = 60_000;
/** How much longer than its drain a worker may take to end. */
const drainGraceMs = 5_000;

/**
 * Processes that share LIVE_PORT (SO_REUSEPORT: the kernel spreads connections over them). One that dies, or is killed because it no longer
 * responds, is replaced after a growing pause; its viewers resume at another by their cursors, which are valid everywhere.
 */
export class Workers implements ViewerDirectory, LiveNode {
  restarts = 0;
  readonly #options: WorkersOptions;
  readonly #running = new Set<WorkerProcess>();
  /** Per place: the worker that takes over when the present one has drained. */
  readonly #successors = new Map<number, WorkerProcess>();
  readonly #current = new Map<number, WorkerProcess>();
  #restarting: Promise<void> | undefined;
  #isDraining = false;

  constructor(options: WorkersOptions) {
    this.#options = options;
  }

  get readyCount(): number {
    return [...this.#running].filter((worker) => worker.isReady).length;
  }

  get pids(): number[] {
    return [...this.#running].flatMap(({ pid }) => pid ?? []);
  }

  /**
   * Keeps all places filled until the signal aborts, then drains; `onReady` is called when all accept viewers. Rejects when one could never
   * start.
   */
  async run(signal: AbortSignal, onReady: () => void): Promise<void> {
    const failed = new AbortController();
    const stop = AbortSignal.any([signal, failed.signal]);
    let starting = this.#options.count;
    const places = Array.from({ length: this.#options.count }, (_, place) =>
      this.#keep(place, stop, () => {
        if (--starting === 0 && !stop.aborted) onReady();
      }),
    );
    for (const place of places) place.catch(() => failed.abort());
    for (const result of await Promise.allSettled(places))
      if (result.status === 'rejected') throw result.reason;
  }

  /**
   * Replaces the workers one by one, each by one that is ready before the old one drains: viewers see the restart as a short pause. The new
   * ones run the code on disk. Rejects, and leaves the rest as it is, when a new one does not start.
   */
  restart(): Promise<void> {
    this.#restarting ??= this.#restart().finally(() => (this.#restarting = undefined));
    return this.#restarting;
  }

  /** Tells the workers that the embedded log has grown. */
  appended(topic: string): void {
    for (const worker of this.#running) worker.appended(topic);
  }

  async metrics(): Promise<WorkerMetrics[]> {
    return this.#ask({ name: 'metrics' });
  }

  /** The viewers of all workers; those of one that drains are about to leave, and are not among them. */
  async list(query: ViewerQuery): Promise<ViewerPage> {
    return joinPages(await this.#ask({ name: 'viewers', query }), query.limit);
  }

  async end(viewer: ViewerId): Promise<boolean> {
    return (await this.#ask({ name: 'end-viewer', viewer })).includes(true);
  }

  get viewers(): ViewerDirectory {
    return this;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** A worker that is replaced meanwhile is asked by the next call. */
  async drain(overMs: number): Promise<number> {
    this.#isDraining = true;
    const left = await this.#ask({ name: 'send-away', overMs });
    return left.reduce((sum, viewers) => sum + viewers, 0);
  }

  /** Asks the workers that accept viewers; one that ends meanwhile does not answer. */
  async #ask<Q extends WorkerQuestion>(question: Q): Promise<WorkerAnswers[Q['name']][]> {
    const asked = [...this.#running].filter(({ isReady }) => isReady).map((worker) => worker.ask(question));
    return (await Promise.all(asked)).filter((answer) => answer !== undefined);
  }

  /** Keeps one place filled. */
  async #keep(place: number, stop: AbortSignal, onFirstReady: () => void): Promise<void> {
    const { logger } = this.#options;
    let failures = 0;
    let wasReady = false;
    while (!stop.aborted) {
      const startedAtMs = performance.now();
      const worker = this.#successors.get(place) ?? this.#start();
      this.#successors.delete(place);
      this.#current.set(place, worker);
      const onStop = (): void => this.#drain(worker);
      stop.addEventListener('abort', onStop);
      await worker.settled;
      if (worker.isReady && !wasReady) {
        wasReady = true;
        onFirstReady();
      }
      const reason = await worker.ended;
      stop.removeEventListener('abort', onStop);
      if (stop.aborted || this.#successors.has(place)) continue;
      // A worker that fails before it was ever ready will not recover by waiting.
      if (!wasReady) throw reason;
      if (performance.now() - startedAtMs > healthyMs) failures = 0;
      const pauseMs = Math.min(maxPauseMs, firstPauseMs * 2 ** failures++);
      this.restarts++;
      logger.warn(
        { err: reason, pauseMs },
        'a worker ended; its viewers resume elsewhere, and it is started again',
      );
      await sleep(pauseMs, undefined, { signal: stop }).catch(() => {});
    }
    const successor = this.#successors.get(place);
    if (successor !== undefined) this.#drain(successor);
    await successor?.ended;
  }

  async #restart(): Promise<void> {
    for (const [place, old] of this.#current) {
      const successor = this.#start();
      await successor.settled;
      if (!successor.isReady)
        throw new Error('the new worker did not start; the old ones continue', {
          cause: await successor.ended,
        });
      this.#successors.set(place, successor);
      this.#drain(old);
      await old.ended;
    }
  }

  #start(): WorkerProcess {
    const worker = new WorkerProcess(this.#options.data, this.#options.data.settings.LIVE_WORKER_FROZEN_MS);
    const tell = (): void => this.#options.onReadyCount(this.readyCount);
    this.#running.add(worker);
    void worker.settled.then(tell);
    void worker.ended.then(() => {
      this.#running.delete(worker);
      tell();
    });
    return worker;
  }

  #drain(worker: WorkerProcess): void {
    worker.drain();
    this.#options.onReadyCount(this.readyCount);
    const cut = setTimeout(() => worker.kill(), this.#options.data.settings.LIVE_DRAIN_MS + drainGraceMs);
    void worker.ended.then(() => clearTimeout(cut));
  }
}
