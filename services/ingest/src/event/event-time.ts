import type { Source } from '@logloom/schemas';
import { Normalizer } from './normalize.ts';

const normalizer = new Normalizer([]);
const source: Source = { kind: 'http', topic: '', partition: 0, offset: 0, index: 0 };

/**
 * The time that an event says it happened at, in microseconds since 1970, as ingest reads it. NaN if the text is no JSON object, or has no
 * time that can be read.
 */
export function eventTimeOf(text: string): number {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return Number.NaN;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return Number.NaN;
  const now = Date.now();
  const result = normalizer.normalize(value as Record<string, unknown>, source, now);
  // Without a time an event has that of its receipt.
  return 'ok' in result && result.ok.timestamp !== now * 1000 ? result.ok.timestamp : Number.NaN;
}
