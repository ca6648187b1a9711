import type { LogEvent } from '@logloom/schemas';

/** For tests: an event of a request, the nth of its producer. */
export function logEvent(correlationId: string, n: number, fields: Partial<LogEvent> = {}): LogEvent {
  return {
    source: { kind: 'http', topic: 'test', partition: 0, offset: n, index: 0 },
    timestamp: 1_700_000_000_000_000 + n,
    receivedAt: 0,
    level: n % 50 === 0 ? 'error' : 'info',
    service: `service-${n % 5}`,
    host: null,
    message: `event ${n}`,
    correlationId,
    correlationKind: 'traceId',
    traceId: correlationId,
    spanId: null,
    attributes: '{}',
    ...fields,
  };
}
