import type { PlacedEvent } from '@logloom/schemas';

/** An event of a request, so many milliseconds after 1970. */
export function event(ms: number, service: string, rest: Partial<PlacedEvent> = {}): PlacedEvent {
  return {
    source: { kind: 'http', topic: 'p', partition: 0, offset: ms, index: 0 },
    id: `e${ms}`,
    partition: 0,
    offset: ms,
    timestamp: ms * 1000,
    receivedAt: ms,
    level: 'info',
    service,
    host: null,
    message: `at ${ms}`,
    correlationId: 'c',
    correlationKind: 'traceId',
    traceId: 'c',
    spanId: null,
    attributes: '{}',
    ...rest,
  };
}

/** An event in a span. */
export function span(
  ms: number,
  service: string,
  spanId: string,
  parentSpanId?: string,
  rest: Partial<PlacedEvent> = {},
): PlacedEvent {
  const attributes = JSON.stringify(parentSpanId === undefined ? {} : { parentSpanId });
  return event(ms, service, { spanId, attributes, ...rest });
}
