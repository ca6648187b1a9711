import { setTimeout as sleep } from 'node:timers/promises';
import { defaultChannel } from './centrifugo-target.ts';
import {
  reasonOf,
  retryMs,
  type BatchFate,
  type OnAnswer,
  type Sender,
  type SenderTarget,
} from './sender.ts';

/**
 * Sends batches by `POST`, as JSON lines; to Centrifugo's own API (an address that ends in `/api`) as a batch of publications. Repeats what
 * was not taken (429, 503), and nothing else: without numbers a repetition could make duplicates, so what was not answered stays unknown.
 */
export class HttpSender implements Sender {
  readonly #target: SenderTarget;
  readonly #onAnswer: OnAnswer;
  readonly #isApi: boolean;

  constructor(target: SenderTarget, onAnswer: OnAnswer) {
    this.#target = target;
    this.#onAnswer = onAnswer;
    this.#isApi = target.kind === 'centrifugo' && new URL(target.url).pathname.endsWith('/api');
  }

  async send(lines: readonly string[], signal: AbortSignal): Promise<BatchFate> {
    for (let attempt = 0; ; attempt++) {
      try {
        const response = await (this.#isApi ? this.#publish(lines, signal) : this.#post(lines, signal));
        const { status, ok } = response;
        const isPassing = status === 429 || status === 503;
        const text = await response.text();
        this.#onAnswer(String(status), isPassing, ok ? undefined : String(status));
        if (ok) return { fate: 'stored', rejected: this.#isApi ? rejectedOf(text) : [] };
        if (!isPassing) return { fate: 'refused', rejected: [] };
      } catch (error) {
        if (!signal.aborted) this.#onAnswer(reasonOf(error), false, reasonOf(error));
        return { fate: 'unknown', rejected: [] };
      }
      await sleep(retryMs(attempt), undefined, { signal }).catch(() => {});
      if (signal.aborted) return { fate: 'refused', rejected: [] };
    }
  }

  #post(lines: readonly string[], signal: AbortSignal): Promise<Response> {
    const { url, key } = this.#target;
    return fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-ndjson',
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      },
      body: lines.join('\n'),
      signal,
    });
  }

  #publish(lines: readonly string[], signal: AbortSignal): Promise<Response> {
    const { url, key, channel = defaultChannel } = this.#target;
    const name = JSON.stringify(channel);
    return fetch(`${url}/batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key === undefined ? {} : { 'x-api-key': key }) },
      body: `{"commands":[${lines.map((line) => `{"publish":{"channel":${name},"data":${line}}}`).join(',')}]}`,
      signal,
    });
  }
}

/** Of Centrifugo's replies, one for each command. Throws SyntaxError. */
function rejectedOf(text: string): number[] {
  const { replies = [] } = JSON.parse(text) as { replies?: { error?: unknown }[] };
  return replies.flatMap(({ error }, i) => (error === undefined || error === null ? [] : [i + 1]));
}
