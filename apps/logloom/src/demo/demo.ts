import { setTimeout as sleep } from 'node:timers/promises';
import { makeRequest, seededRandom, type DemoEvent } from './demo-traffic.ts';

export interface DemoOptions {
  /** Events a second, on average. */
  rate: number;
  /** Ends after this many seconds; requests in progress are finished. */
  seconds: number;
  seed: number;
}

const stepMs = 50;

/**
 * Batches of JSON lines in real time: requests start at random times and overlap, and their events are sent when they happen. Ends when the
 * time is up or the signal aborts.
 */
export async function* demoBatches(
  { rate, seconds, seed }: DemoOptions,
  signal: AbortSignal,
): AsyncGenerator<string[]> {
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
      const events = makeRequest(random);
      planned += events.length;
      for (const event of events) waiting.push({ at: begin + event.atMs, event });
    }
    const due = waiting.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at);
    waiting = waiting.filter(({ at }) => at > now);
    if (due.length > 0) yield due.map(({ at, event }) => toLine(at, event));
    await sleep(stepMs, undefined, { signal }).catch(() => {});
  }
}

function toLine(at: number, { atMs: _, ...event }: DemoEvent): string {
  const { attributes, ...known } = event;
  return JSON.stringify({ timestamp: new Date(at).toISOString(), ...known, ...attributes });
}
