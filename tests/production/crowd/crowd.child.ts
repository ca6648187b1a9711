/**
 * Many viewers in a process of their own: each watches one share of numbered events, and comes back with its cursor whenever it is cut off.
 * argv: the viewers' URL, viewers, shares. Its messages are those of `CrowdMessage`; it is asked for its findings by `CrowdRequest`.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { reconnectDelay } from '../../../clients/viewer/src/reconnect-delay.js';
import type { CrowdFindings, CrowdMessage, CrowdRequest } from './crowd.ts';

const [url, viewerCount, shareCount] = process.argv.slice(2) as [string, string, string];
const shares = Number(shareCount);
const connectingAtOnce = 40;

interface ServerMessage {
  type: string;
  cursor?: string;
  to?: string;
  mode?: string;
  retryAfterMs?: number;
  events?: { attributes: { n: number } }[];
}

/** Of all viewers; times in ms. */
const totals = {
  connections: 0,
  deliveries: 0,
  failures: {} as Record<string, number>,
  longestPauseMs: 0,
  complaints: [] as string[],
};

class CrowdViewer {
  readonly share: number;
  readonly seen: number[] = [];
  #cursor: string | undefined;
  /** Connections that failed since the last subscription. */
  #attempt = 0;
  /** When the connection before ended; undefined while it is subscribed. */
  #cutAt: number | undefined;

  constructor(share: number) {
    this.share = share;
  }

  /** Resolves when it is subscribed for the first time; it stays connected for ever. */
  async open(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    void this.#stay(resolve);
    return promise;
  }

  async #stay(onSubscribed: () => void): Promise<void> {
    for (;;) {
      const { code, retryAfterMs } = await this.#connect(onSubscribed);
      // As the viewer SDK does.
      await sleep(retryAfterMs ?? reconnectDelay(this.#attempt++, code, Math.random));
    }
  }

  /** Resolves when the connection has ended, with its close code, and when to come back if the server has said so. */
  async #connect(onSubscribed: () => void): Promise<{ code: number; retryAfterMs: number | undefined }> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/live`, ['logloom.v1'], {
      perMessageDeflate: false,
      skipUTF8Validation: true,
    });
    const from = this.#cursor === undefined ? 'now' : { cursor: this.#cursor };
    const subscribe = { type: 'subscribe', id: 'v', filter: `attributes.share:s${this.share}`, from };
    socket.on('open', () => socket.send(JSON.stringify(subscribe)));
    let retryAfterMs: number | undefined;
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as ServerMessage;
      if (message.type === 'goodbye') ({ retryAfterMs } = message);
      if (message.type === 'subscribed') {
        totals.connections++;
        if (this.#cutAt !== undefined)
          totals.longestPauseMs = Math.max(totals.longestPauseMs, performance.now() - this.#cutAt);
        this.#cutAt = undefined;
        this.#attempt = 0;
        onSubscribed();
      }
      this.#take(message);
    });
    socket.on('error', ({ message }) => (totals.failures[message] = (totals.failures[message] ?? 0) + 1));
    const [code] = (await once(socket, 'close')) as [number];
    this.#cutAt ??= performance.now();
    return { code, retryAfterMs };
  }

  #take(message: ServerMessage): void {
    for (const { attributes } of message.events ?? []) this.seen.push(attributes.n);
    totals.deliveries += message.events?.length ?? 0;
    const isComplaint =
      message.type === 'gap' ||
      message.type === 'error' ||
      (message.type === 'mode' && message.mode !== 'full');
    if (isComplaint && totals.complaints.length < 10) totals.complaints.push(JSON.stringify(message));
    this.#cursor = (message.type === 'gap' ? message.to : message.cursor) ?? this.#cursor;
  }
}

const viewers = Array.from({ length: Number(viewerCount) }, (_, i) => new CrowdViewer(i % shares));

/** What each viewer lacks and has twice of the numbers below `sent`. */
function findings(sent: number): CrowdFindings {
  let [missing, duplicates] = [0, 0];
  for (const { share, seen } of viewers) {
    const expected = Math.max(0, Math.ceil((sent - share) / shares));
    const distinct = new Set(seen);
    duplicates += seen.length - distinct.size;
    let found = 0;
    for (const n of distinct) if (n < sent && n % shares === share) found++;
    missing += expected - found;
  }
  return { viewers: viewers.length, missing, duplicates, ...totals };
}

function tell(message: CrowdMessage): void {
  process.send!(message);
}

process.on('message', ({ sent }: CrowdRequest) => tell({ findings: findings(sent) }));
process.on('disconnect', () => process.exit());
const waiting = [...viewers];
await Promise.all(
  Array.from({ length: connectingAtOnce }, async () => {
    for (let viewer = waiting.pop(); viewer !== undefined; viewer = waiting.pop()) await viewer.open();
  }),
);
tell({ ready: true });
