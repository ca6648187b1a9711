import type { LogEvent } from '@logloom/schemas';

/** What the load test sends. */
interface SentEvent {
  timestamp: string;
  service: string;
  level: LogEvent['level'];
  message: string;
  correlationId: string;
  loadtest: { run: string; n: number };
}

const blank: LogEvent = {
  source: { kind: 'http', topic: 'bench', partition: 0, offset: 0, index: 0 },
  timestamp: 0,
  receivedAt: 0,
  level: 'info',
  service: '',
  host: null,
  message: '',
  correlationId: null,
  correlationKind: null,
  traceId: null,
  spanId: null,
  attributes: '{}',
};

/** An event of a bench: `fields`, and of all others what says least. */
export function benchEvent(offset: number, fields: Partial<LogEvent>): LogEvent {
  return { ...blank, source: { ...blank.source, offset }, ...fields };
}

/** A line of the load test as ingest would make it. */
export function sentEvent(line: string, offset: number): LogEvent {
  const { timestamp, service, level, message, correlationId, loadtest } = JSON.parse(line) as SentEvent;
  const receivedAt = Date.parse(timestamp);
  return benchEvent(offset, {
    timestamp: receivedAt * 1000,
    receivedAt,
    service,
    level,
    message,
    correlationId,
    correlationKind: 'requestId',
    attributes: JSON.stringify({ loadtest }),
  });
}
