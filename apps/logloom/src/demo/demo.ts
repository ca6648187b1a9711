import { setTimeout as sleep } from 'node:timers/promises';
import { makeLogin } from './demo-logins.ts';
import { makeRequest, seededRandom, type DemoEvent } from './demo-traffic.ts';

export interface DemoOptions {
  /** Events a second, on average. */
  rate: number;
  /** Ends after this many seconds; requests in progress are finished. */
  seconds: number;
  seed: number;
}

const stepMs = 50;
/** One of so many requests is a login. */
const requestsPerLogin = 10;

/** The events of one request after the other, without end. Equal seeds make equal requests. */
export function* demoRequests(seed: number): Generator<DemoEvent[], never> {
  const random = seededRandom(seed);
  // Of their own, so that requests are the same with and without logins.
  const logins = seededRandom(seed + 1);
  for (let i = 1; ; i++) yield i % requestsPerLogin === 0 ? makeLogin(logins) : makeRequest(random);
}

/**
 * Batches of JSON lines in real time: requests start at random times and overlap, and their events are sent when they happen. Ends when the
 * time is up or the signal aborts.
 */
export async function* demoBatches(
  { rate, seconds, seed }: DemoOptions,
  signal: AbortSignal,
): AsyncGenerator<string[]> {
  const shop = demoRequests(seed);
  const random = seededRandom(seed);
  const startedAt = Date.now();
  // Events of the requests in progress, by the time when they are due (epoch ms).
  let waiting: { at: number; event: DemoEvent }[] = [];
  let planned = 0;
  for (;;) {
    const now = Date.now();
    const isOver = signal.aborted || now - startedAt >= seconds * 1000;
    if (isOver && (signal.aborted || waiting.length === 0)) return;
    while (!isOver && planned < ((now - startedAt) * rate) / 1000) {
      const begin = now - random() * stepMs;
      const events = shop.next().value;
      planned += events.length;
      for (const event of events) waiting.push({ at: begin + event.atMs, event });
    }
    const due = waiting.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at);
    waiting = waiting.filter(({ at }) => at > now);
    if (due.length > 0) yield due.map(({ at, event }) => toLine(at, event));
    await sleep(stepMs, undefined, { signal }).catch(() => {});
  }
}

/** An event as a line of NDJSON; `at` is its time, epoch ms. */
export function toLine(at: number, { atMs: _, ...event }: DemoEvent): string {
  const { attributes, ...known } = event;
  return JSON.stringify({ timestamp: new Date(at).toISOString(), ...known, ...attributes });
}
