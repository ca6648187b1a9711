import { isCanaryDocument, isCanaryEvent } from './canary.ts';
import type { Correlation, LogEvent } from './generated/types.ts';
import { isLoadtestDocument, isLoadtestEvent } from './loadtest.ts';

/** Whether users' stores hold the event: it is neither the canary's nor a load test's. */
export function isForUsers(event: Pick<LogEvent, 'correlationKind'>): boolean {
  return !isCanaryEvent(event) && !isLoadtestEvent(event);
}

/** Whether users' stores hold the document. */
export function isDocumentForUsers(document: Pick<Correlation, 'kind'>): boolean {
  return !isCanaryDocument(document) && !isLoadtestDocument(document);
}
