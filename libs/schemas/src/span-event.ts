/** The attribute `eventKind` of events that were made from spans of a trace: they say what took how long, and were not logged. */
export const spanEventKind = 'span';

const marker = `"eventKind":"${spanEventKind}"`;
const duration = /"durationMs":(\d+(?:\.\d+)?(?:e-?\d+)?)[,}]/;

/** How long the span of an event took, in microseconds; undefined for every other event. `attributes` is the event's JSON text. */
export function spanDurationMicros(attributes: string): number | undefined {
  // Nearly all events are none: nothing is parsed for them.
  if (!attributes.includes(marker) || !duration.test(attributes)) return undefined;
  const { eventKind, durationMs } = JSON.parse(attributes) as { eventKind?: unknown; durationMs?: unknown };
  if (eventKind !== spanEventKind || typeof durationMs !== 'number' || durationMs < 0) return undefined;
  return Math.round(durationMs * 1000);
}
