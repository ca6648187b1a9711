import { setTimeout as sleep } from 'node:timers/promises';
import { sendBatches, type SendResult } from '../../apps/logloom/src/send/send-batches.ts';

const tickMs = 100;
const largestBatch = 2_000;

/**
 * Sends lines at a steady rate, in their order and over again, until it is told to stop; what came due while ingest was away follows in
 * larger batches. Each round has trace ids of its own.
 */
export class SteadyTraffic implements AsyncDisposable {
  readonly #lines: readonly string[];
  readonly #done: Promise<SendResult>;
  readonly #sent: string[] = [];
  readonly #abort = new AbortController();
  #stopped = false;
  #acknowledged = 0;

  constructor(url: string, lines: readonly string[], perSecond: number) {
    this.#lines = lines;
    this.#done = sendBatches(this.#batches(perSecond), {
      url,
      signal: this.#abort.signal,
      onProgress: ({ accepted }) => (this.#acknowledged = accepted),
    });
    // Awaited at stop().
    this.#done.catch(() => {});
  }

  /** How many lines were acknowledged so far. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Resolves when the last batch is acknowledged; returns the lines that were sent, and the sender's count of what was accepted. */
  async stop(): Promise<{ lines: readonly string[]; result: SendResult }> {
    this.#stopped = true;
    const result = await this.#done;
    return { lines: this.#sent, result };
  }

  /** Gives up what is not acknowledged yet. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#abort.abort();
    await this.#done.catch(() => {});
  }

  async *#batches(perSecond: number): AsyncGenerator<string[]> {
    const begin = performance.now();
    while (!this.#stopped) {
      const due = Math.floor(((performance.now() - begin) / 1000) * perSecond);
      const first = this.#sent.length;
      const batch: string[] = [];
      for (let i = first; i < Math.min(due, first + largestBatch); i++) batch.push(this.#line(i));
      if (batch.length > 0) {
        this.#sent.push(...batch);
        yield batch;
      } else {
        await sleep(tickMs);
      }
    }
  }

  #line(i: number): string {
    const text = this.#lines[i % this.#lines.length]!;
    const round = Math.floor(i / this.#lines.length);
    if (round === 0) return text;
    const { traceId } = JSON.parse(text) as { traceId: string };
    return text.replaceAll(traceId, `${traceId}-${round}`);
  }
}
