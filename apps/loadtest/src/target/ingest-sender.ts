import { setTimeout as sleep } from 'node:timers/promises';
import { loadtestHeader } from './hides-events.ts';
import {
  reasonOf,
  retryMs,
  type BatchFate,
  type OnAnswer,
  type Sender,
  type SenderTarget,
} from './sender.ts';

/**
 * Sends batches to `POST /ingest` one after the other, numbered, so that a repetition makes no duplicate. Repeats what was not answered or
 * has to wait (429, 503), until the signal aborts.
 */
export class IngestSender implements Sender {
  readonly #target: SenderTarget;
  readonly #producer: string;
  readonly #onAnswer: OnAnswer;
  #sequence = 0;

  constructor(target: SenderTarget, producer: string, onAnswer: OnAnswer) {
    this.#target = target;
    this.#producer = producer;
    this.#onAnswer = onAnswer;
  }

  async send(lines: readonly string[], signal: AbortSignal): Promise<BatchFate> {
    const sequence = this.#sequence;
    this.#sequence += lines.length;
    // Once a request went without an answer, its events may be stored whatever comes after.
    let isCertain = true;
    for (let attempt = 0; ; attempt++) {
      try {
        const response = await this.#post(lines, sequence, signal);
        const isPassing = response.status === 429 || response.status === 503;
        const text = await response.text();
        const answer = answerOf(text, response.ok);
        const isStored = response.ok || (response.status === 400 && Array.isArray(answer.rejected));
        const failure = isStored ? undefined : `${response.status} ${answer.error?.code ?? ''}`.trimEnd();
        this.#onAnswer(String(response.status), isPassing, failure);
        if (isStored) return { fate: 'stored', rejected: (answer.rejected ?? []).map(({ line }) => line) };
        if (!isPassing) return { fate: 'refused', rejected: [] };
        if (response.status === 503) isCertain = false;
      } catch (error) {
        isCertain = false;
        if (!signal.aborted) this.#onAnswer(reasonOf(error), true, reasonOf(error));
      }
      await sleep(retryMs(attempt), undefined, { signal }).catch(() => {});
      if (signal.aborted) return { fate: isCertain ? 'refused' : 'unknown', rejected: [] };
    }
  }

  #post(lines: readonly string[], sequence: number, signal: AbortSignal): Promise<Response> {
    const { url, key, hiddenAs } = this.#target;
    return fetch(new URL('/ingest', url), {
      method: 'POST',
      headers: {
        'content-type': 'application/x-ndjson',
        'logloom-producer': this.#producer,
        'logloom-sequence': String(sequence),
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(hiddenAs === undefined ? {} : { [loadtestHeader]: hiddenAs }),
      },
      body: lines.join('\n'),
      signal,
    });
  }
}

interface Answer {
  rejected?: { line: number }[];
  error?: { code?: string };
}

/** A proxy refuses in its own words; but only JSON tells what was stored. Throws SyntaxError. */
function answerOf(text: string, isOk: boolean): Answer {
  try {
    return JSON.parse(text) as Answer;
  } catch (error) {
    if (isOk) throw error;
    return {};
  }
}
