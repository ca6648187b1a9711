import type { Correlation, LogEvent } from './generated/types.ts';

/**
 * The correlation kind of a load test's events and documents. Ingest alone sets it, for requests with the header `logloom-loadtest` whose
 * sender may use it, so no content of an event does. Readers show them only to who asks for this kind (docs/adr, 38).
 */
export const loadtestKind = 'loadtest';

/** The header of a request whose events are a load test's; its value names the run. */
export const loadtestHeader = 'logloom-loadtest';

/** Whether the event belongs to a load test: users see it only if they ask for it, and it is kept for hours. */
export function isLoadtestEvent({ correlationKind }: Pick<LogEvent, 'correlationKind'>): boolean {
  return correlationKind === loadtestKind;
}

/** Whether the document is made of a load test's events. */
export function isLoadtestDocument({ kind }: Pick<Correlation, 'kind'>): boolean {
  return kind === loadtestKind;
}
