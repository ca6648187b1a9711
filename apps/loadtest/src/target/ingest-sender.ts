import { loadtestHeader } from './hides-events.ts';
import { setTimeout as sleep } from 'node:timers/promises';

export interface IngestTarget {
  /** The ingest port's base URL. */
  url: string;
  key?: string | undefined;
  /** The run's name, where the target hides its events from users. */
  hiddenAs?: string | undefined;
}

/** What became of a batch: `stored`, `refused` (for good), or `unknown`: nobody told. Positions in the batch that were rejected. */
export interface BatchFate {
  fate: 'stored' | 'refused' | 'unknown';
  rejected: readonly number[];
}

/** `failure` says why a request did not store its events: status and error code, or what became of the connection; undefined: it did. */
type OnAnswer = (status: string, isRetried: boolean, failure: string | undefined) => void;

const firstRetryMs = 100;
const longestRetryMs = 5_000;

/**
 * Sends batches to `POST /ingest` one after the other, numbered, so that a repetition makes no duplicate. Repeats what was not answered or
 * has to wait (429, 503), until the signal aborts.
 */
export class IngestSender {
  readonly #target: IngestTarget;
  readonly #producer: string;
  readonly #onAnswer: OnAnswer;
  #sequence = 0;

  constructor(target: IngestTarget, producer: string, onAnswer: OnAnswer) {
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
      const wait = Math.min(longestRetryMs, firstRetryMs * 2 ** attempt) * (0.5 + Math.random() / 2);
      await sleep(wait, undefined, { signal }).catch(() => {});
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

/** Few values, as they are counted. */
function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: { code?: unknown } };
  return typeof cause?.code === 'string' ? cause.code : 'no answer';
}
