import { canaryService, type CanarySeal } from '@logloom/auth';
import { canaryKind, type LogEvent } from '@logloom/schemas';

/** Returns the event as the canary's, if it is one: its correlation id and kind are those that only ingest can set. */
export function markCanary(event: LogEvent, seal: CanarySeal): LogEvent | undefined {
  // All that it costs for the events of others.
  if (event.service !== canaryService) return undefined;
  const mark = seal.verify(event);
  if (mark === undefined) return undefined;
  return { ...event, correlationId: seal.correlationId(mark), correlationKind: canaryKind };
}
