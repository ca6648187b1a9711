import { setTimeout as sleep } from 'node:timers/promises';
import { loadtestHeader } from './hides-events.ts';
import type { HttpReceiver } from './http-receivers.ts';
import {
  reasonOf,
  retryMs,
  type BatchFate,
  type OnAnswer,
  type Sender,
  type SenderTarget,
} from './sender.ts';

/**
 * Sends batches to a receiver of Logloom's ingest port one after the other, numbered, so that a repetition makes no duplicate. Repeats what
 * was not answered or has to wait (429, 503), until the signal aborts.
 */
export class IngestSender implements Sender {
  readonly #target: SenderTarget;
  readonly #receiver: HttpReceiver;
  readonly #producer: string;
  readonly #onAnswer: OnAnswer;
  #sequence = 0;

  constructor(target: SenderTarget, receiver: HttpReceiver, producer: string, onAnswer: OnAnswer) {
    this.#target = target;
    this.#receiver = receiver;
    this.#producer = producer;
    this.#onAnswer = onAnswer;
  }

  async send(lines: readonly string[], signal: AbortSignal): Promise<BatchFate> {
    const body = this.#receiver.bodyOf(lines);
    const sequence = this.#sequence;
    this.#sequence += lines.length;
    // Once a request went without an answer, its events may be stored whatever comes after.
    let isCertain = true;
    for (let attempt = 0; ; attempt++) {
      try {
        const response = await this.#post(body, sequence, signal);
        const { status } = response;
        const isPassing = status === 429 || status === 503;
        const text = await response.text();
        const fate = this.#receiver.fateOf({ status, text });
        this.#onAnswer(
          String(status),
          isPassing,
          fate?.fate === 'stored' ? undefined : failureOf(status, text),
        );
        if (fate !== undefined) return fate;
        if (!isPassing) return { fate: 'refused', rejected: [] };
        if (status === 503) isCertain = false;
      } catch (error) {
        isCertain = false;
        if (!signal.aborted) this.#onAnswer(reasonOf(error), true, reasonOf(error));
      }
      await sleep(retryMs(attempt), undefined, { signal }).catch(() => {});
      if (signal.aborted) return { fate: isCertain ? 'refused' : 'unknown', rejected: [] };
    }
  }

  #post(body: string, sequence: number, signal: AbortSignal): Promise<Response> {
    const { url, key, hiddenAs } = this.#target;
    const { path, contentType } = this.#receiver;
    return fetch(new URL(path, url), {
      method: 'POST',
      headers: {
        'content-type': contentType,
        'logloom-producer': this.#producer,
        'logloom-sequence': String(sequence),
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(hiddenAs === undefined ? {} : { [loadtestHeader]: hiddenAs }),
      },
      body,
      signal,
    });
  }
}

/** The status with the error's code, where the protocol has one. */
function failureOf(status: number, text: string): string {
  let code = '';
  try {
    const { error } = JSON.parse(text) as { error?: { code?: string; type?: string } };
    code = error?.code ?? error?.type ?? '';
  } catch {
    // Loki's errors are text, and so are those of proxies.
  }
  return `${status} ${code}`.trimEnd();
}
