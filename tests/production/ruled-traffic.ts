import { setTimeout as sleep } from 'node:timers/promises';
import { sendBatches, type SendResult } from '../../apps/logloom/src/send/send-batches.ts';
import { ruledRequest, type RuledLine, type RuledRequest } from '../pipeline/ruled-requests.ts';

const tickMs = 500;
const requestsPerTick = 3;
/** Longer than the groups' idle time, so that what comes late revises a document. */
const lateMs = 8_000;

/** Sends requests whose verdicts are known, a few at a time until it is told to stop; the late events of each some seconds later. */
export class RuledTraffic implements AsyncDisposable {
  readonly requests: RuledRequest[] = [];
  readonly #sent: RuledLine[] = [];
  readonly #late: { dueAt: number; lines: RuledLine[] }[] = [];
  readonly #done: Promise<SendResult>;
  readonly #abort = new AbortController();
  #stopped = false;

  constructor(url: string) {
    this.#done = sendBatches(this.#batches(), {
      url,
      signal: this.#abort.signal,
      onProgress: () => {},
    });
    // Awaited at stop().
    this.#done.catch(() => {});
  }

  /** Resolves when the last late event is acknowledged. */
  async stop(): Promise<{ lines: readonly RuledLine[]; result: SendResult }> {
    this.#stopped = true;
    const result = await this.#done;
    return { lines: this.#sent, result };
  }

  /** Gives up what is not acknowledged yet. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#late.length = 0;
    this.#abort.abort();
    await this.#done.catch(() => {});
  }

  async *#batches(): AsyncGenerator<string[]> {
    while (!this.#stopped || this.#late.length > 0) {
      const now = performance.now();
      const batch: RuledLine[] = [];
      for (let i = 0; i < requestsPerTick && !this.#stopped; i++) {
        const request = ruledRequest(this.requests.length);
        this.requests.push(request);
        batch.push(...request.lines);
        if (request.late.length > 0) this.#late.push({ dueAt: now + lateMs, lines: request.late });
      }
      while (this.#late[0] !== undefined && this.#late[0].dueAt <= now)
        batch.push(...this.#late.shift()!.lines);
      this.#sent.push(...batch);
      if (batch.length > 0) yield batch.map((line) => JSON.stringify(line));
      await sleep(tickMs);
    }
  }
}
