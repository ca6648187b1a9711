import { parseMicros, type LogEvent } from '@logloom/schemas';
import { logEvent } from '@logloom/testing';

/** A line of the recording, parsed. */
export interface RecordedLine {
  timestamp: string;
  service: string;
  host: string;
  level: LogEvent['level'];
  message: string;
  traceId?: string;
}

/** The event that a line is, the `n`th. */
export function recordedEvent(
  {
    timestamp,
    service,
    host,
    level,
    message,
    traceId = null,
  }: Omit<RecordedLine, 'traceId'> & { traceId?: string | null },
  n: number,
): LogEvent {
  return logEvent(n, {
    timestamp: parseMicros(timestamp),
    service,
    host,
    level,
    message,
    traceId,
    correlationId: traceId,
    correlationKind: traceId === null ? null : 'traceId',
  });
}
