/**
 * Viewers in a process of their own, forked: `stalling-viewers.ts <port> <viewers> <filter>`. They count what they get and what gaps
 * announce, come back at their cursor when they are cut, and stop reading, all of them, when they are told to.
 */
import { createHistogram } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';

export type Command = 'stall' | 'read' | 'report';

/** Of all viewers of the process together; the latencies, in ms, are those since the last report. */
export interface StallReport {
  subscribed: number;
  /** The fewest and the most that a viewer has got or was told that it misses. */
  fewest: number;
  most: number;
  missed: number;
  twice: number;
  reconnections: number;
  p50: number;
  p99: number;
}

interface Message {
  data: Buffer;
  type: string;
  /** Where a viewer who has got this continues. */
  cursor: string | undefined;
  missed: number;
  retryAfterMs: number;
  events: { n: number; sentAt: number }[];
}

const recent: Message[] = [];
const latency = createHistogram();

/** A frame is the same for all viewers of a channel: parsing it for each would measure the viewers. */
function read(data: Buffer): Message {
  const known = recent.find((each) => each.data.equals(data));
  if (known !== undefined) return known;
  const parsed = JSON.parse(data.toString()) as {
    type: string;
    cursor?: string;
    to?: string;
    missed?: number;
    retryAfterMs?: number;
    events?: { attributes: { t: number; n: number } }[];
  };
  const { type, cursor, to, missed = 0, retryAfterMs = 1000, events = [] } = parsed;
  const message = {
    data: Buffer.from(data),
    type,
    cursor: type === 'gap' ? to : cursor,
    missed,
    retryAfterMs,
    events: events.map(({ attributes: { t, n } }) => ({ n, sentAt: t / 1000 })),
  };
  if (recent.push(message) > 8) recent.shift();
  return message;
}

class Viewer {
  received = 0;
  missed = 0;
  twice = 0;
  connections = 0;
  cursor: string | undefined;
  readonly #url: string;
  readonly #filter: string;
  #last = -1;
  #ws: WebSocket | undefined;

  constructor(url: string, filter: string) {
    this.#url = url;
    this.#filter = filter;
  }

  connect(): void {
    let retryAfterMs = 500 + 500 * Math.random();
    const ws = new WebSocket(this.#url, { perMessageDeflate: false, skipUTF8Validation: true });
    this.#ws = ws;
    this.connections++;
    ws.on('open', () => {
      const from = this.cursor === undefined ? 'now' : { cursor: this.cursor };
      ws.send(JSON.stringify({ type: 'subscribe', id: 'a', filter: this.#filter, from }));
    });
    ws.on('message', (data: Buffer) => {
      const message = read(data);
      if (message.type === 'goodbye') ({ retryAfterMs } = message);
      if (message.cursor !== undefined) this.cursor = message.cursor;
      this.missed += message.missed;
      const now = performance.timeOrigin + performance.now();
      for (const { n, sentAt } of message.events) {
        if (n <= this.#last) this.twice++;
        else this.received++;
        this.#last = Math.max(this.#last, n);
        latency.record(Math.max(1, Math.round((now - sentAt) * 1000)));
      }
    });
    ws.on('close', () => setTimeout(() => this.connect(), retryAfterMs));
    ws.on('error', () => {});
  }

  pause(): void {
    this.#ws?.pause();
  }

  resume(): void {
    this.#ws?.resume();
  }
}

const [port, count, filter = ''] = process.argv.slice(2);
const viewers = Array.from(
  { length: Number(count) },
  () => new Viewer(`ws://127.0.0.1:${port}/live`, filter),
);
const sum = (of: (viewer: Viewer) => number): number => viewers.reduce((total, v) => total + of(v), 0);
process.on('message', (command: Command) => {
  if (command === 'stall') for (const viewer of viewers) viewer.pause();
  if (command === 'read') for (const viewer of viewers) viewer.resume();
  const has = viewers.map(({ received, missed }) => received + missed);
  process.send!({
    subscribed: sum(({ cursor }) => (cursor === undefined ? 0 : 1)),
    fewest: Math.min(...has),
    most: Math.max(...has),
    missed: sum(({ missed }) => missed),
    twice: sum(({ twice }) => twice),
    reconnections: sum(({ connections }) => connections - 1),
    p50: latency.percentile(50) / 1000,
    p99: latency.percentile(99) / 1000,
  } satisfies StallReport);
  if (command === 'report') latency.reset();
});
for (const [i, viewer] of viewers.entries()) {
  viewer.connect();
  if (i % 20 === 19) await sleep(10);
}
