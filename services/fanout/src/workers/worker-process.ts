import { fork, type ChildProcess } from 'node:child_process';
import type { FromWorker, ToWorker, WorkerAnswers, WorkerData, WorkerQuestion } from './worker-protocol.ts';

/** How often a worker is pinged within the time that it may stay silent. */
const pings = 5;
/** Before it accepts viewers it may be silent for this many times as long: it loads its code and reads the log. */
const startFactor = 12;

/** One process that serves viewers on the shared port, seen from its supervisor. */
export class WorkerProcess {
  /** Resolves with the reason when the process has ended. It never rejects. */
  readonly ended: Promise<Error>;
  /** Resolves when it accepts viewers, or has ended. */
  readonly settled: Promise<void>;
  isReady = false;
  /** Whether it was told to drain. */
  isDraining = false;
  readonly #child: ChildProcess;
  readonly #asked = new Map<number, (answer: unknown) => void>();
  #nextId = 0;
  /** Pings since its last sign of life. */
  #unanswered = 0;

  /** A worker that is silent for `frozenMs` is killed: the kernel would keep handing it new connections. */
  constructor(data: WorkerData, frozenMs: number) {
    const child = fork(new URL('worker.ts', import.meta.url), { serialization: 'advanced' });
    this.#child = child;
    let reason: string | undefined;
    const ready = Promise.withResolvers<void>();
    child.on('message', (message: FromWorker) => {
      this.#unanswered = 0;
      if (message.type === 'pong') return;
      if (message.type === 'failed') reason = message.reason;
      else if (message.type === 'answer') this.#answered(message.id, message.answer);
      else {
        this.isReady = true;
        ready.resolve();
      }
    });
    const watch = setInterval(() => {
      // Counted in pings, not in time: while this process itself stands still, none is sent.
      if (this.#unanswered++ < pings * (this.isReady || this.isDraining ? 1 : startFactor))
        return this.#send({ type: 'ping' });
      reason = `it did not respond for ${frozenMs} ms and was killed`;
      this.kill();
    }, frozenMs / pings);
    watch.unref();
    // Also where it could not be started at all: then there is no exit.
    this.ended = new Promise((resolve) => {
      const end = (error: Error): void => {
        this.isReady = false;
        clearInterval(watch);
        for (const id of [...this.#asked.keys()]) this.#answered(id, undefined);
        ready.resolve();
        resolve(error);
      };
      child.once('error', end);
      child.once('exit', (code, signal) => end(new Error(reason ?? `it ended with ${signal ?? code}`)));
    });
    this.settled = ready.promise;
    this.#send({ type: 'start', data });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Lets it drain and end. */
  drain(): void {
    this.isDraining = true;
    this.isReady = false;
    this.#send({ type: 'drain' });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  appended(topic: string): void {
    if (this.isReady) this.#send({ type: 'appended', topic });
  }

  /** Asks it something; undefined when it ends before it has answered. */
  async ask<Q extends WorkerQuestion>(question: Q): Promise<WorkerAnswers[Q['name']] | undefined> {
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#asked.set(id, resolve as (answer: unknown) => void);
      this.#send({ type: 'ask', id, question });
    });
  }

  #answered(id: number, answer: unknown): void {
    this.#asked.get(id)?.(answer);
    this.#asked.delete(id);
  }

  #send(message: ToWorker): void {
    // A process that has just died receives nothing; `ended` reports it.
    if (this.#child.connected) this.#child.send(message, () => {});
  }
}
