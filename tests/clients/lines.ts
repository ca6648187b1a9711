import assert from 'node:assert/strict';
import type { Pipeline } from '../pipeline/pipeline.ts';

/** How many lines each client sends. */
export const lineCount = 10_000;
export const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export const firstMillis = Date.UTC(2026, 0, 1);

/** Line `i`: one a millisecond, ten of a trace, the levels in turn. */
export function lineOf(i: number) {
  return {
    millis: firstMillis + i,
    level: levels[i % 6]!,
    message: `line ${i}`,
    traceId: hex(Math.floor(i / 10) + 1, 32),
    spanId: hex(i + 1, 16),
  };
}

function hex(number: number, digits: number): string {
  return number.toString(16).padStart(digits, '0');
}

interface Found {
  timestamp: string;
  level: string;
  service: string;
  host?: string;
  message: string;
  correlationId?: string;
  traceId?: string;
  spanId?: string;
  attributes: Record<string, unknown>;
}

/** All events of a service, in time order, from the search API. */
export async function findAll(pipeline: Pipeline, service: string): Promise<Found[]> {
  const found: Found[] = [];
  for (let cursor = ''; ;) {
    const page = await pipeline.get<{ events: Found[]; next?: string }>(
      `/api/search?q=service:${service}&order=asc&limit=1000${cursor}`,
    );
    found.push(...page.events);
    if (page.next === undefined) return found;
    cursor = `&cursor=${encodeURIComponent(page.next)}`;
  }
}

/** Every line is there once, with its level, time, service and ids. */
export async function assertLines(pipeline: Pipeline, service: string): Promise<void> {
  const found = await findAll(pipeline, service);
  assert.equal(found.length, lineCount);
  for (const [i, event] of found.entries()) {
    const { millis, ...expected } = lineOf(i);
    const { level, message, traceId, spanId } = event;
    assert.deepEqual({ level, message, traceId, spanId }, expected);
    assert.equal(event.timestamp, new Date(millis).toISOString().replace('Z', '000Z'));
    assert.deepEqual([event.host, event.correlationId], ['h1', expected.traceId]);
    if ('n' in event.attributes) assert.equal(event.attributes['n'], i);
  }
  const { total } = await pipeline.get<{ total: { value: number } }>(
    `/api/search?q=${encodeURIComponent(`service:${service} AND level:>=error`)}&limit=1`,
  );
  assert.equal(total.value, found.filter((_, i) => i % 6 >= 4).length);
}
