import type { LogEvent, PlacedEvent } from '@logloom/schemas';

/** An event as ingest makes it, with the given fields; `n` makes it another one, a microsecond later. */
export function logEvent(n: number, fields: Partial<LogEvent> = {}): LogEvent {
  return {
    source: { kind: 'http', topic: 'test', partition: 0, offset: n, index: 0 },
    timestamp: 1_700_000_000_000_000 + n,
    receivedAt: 1_700_000_000_000,
    level: 'info',
    service: 'shop',
    host: null,
    message: `message ${n}`,
    correlationId: null,
    correlationKind: null,
    traceId: null,
    spanId: null,
    attributes: '{}',
    ...fields,
  };
}

/** An event as it stands at that offset of partition 0, with the given fields. */
export function placedEvent(offset: number, fields: Partial<PlacedEvent> = {}): PlacedEvent {
  return { ...logEvent(offset), id: `test-0-${offset}`, partition: 0, offset, ...fields };
}
