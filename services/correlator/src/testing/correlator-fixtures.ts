import type { LogEvent } from '@logloom/schemas';
import { logEvent as testEvent } from '@logloom/testing';

/** For tests: an event of a request, the nth of its producer. */
export function logEvent(correlationId: string, n: number, fields: Partial<LogEvent> = {}): LogEvent {
  return testEvent(n, {
    receivedAt: 0,
    level: n % 50 === 0 ? 'error' : 'info',
    service: `service-${n % 5}`,
    message: `event ${n}`,
    correlationId,
    correlationKind: 'traceId',
    traceId: correlationId,
    ...fields,
  });
}
