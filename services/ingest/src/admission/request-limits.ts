import { memoryBudget } from '@logloom/settings';
import type { Settings } from '../settings.ts';

/** The limits of one request. */
export interface RequestLimits {
  INGEST_MAX_BODY_BYTES: number;
  INGEST_MAX_REQUEST_EVENTS: number;
}

/** Returns the limits on requests: as the settings have them, else as the memory of the machine allows. */
export function requestLimits({
  INGEST_MAX_PENDING_BYTES: pending,
  INGEST_MAX_BODY_BYTES: body,
  INGEST_MAX_REQUEST_EVENTS,
}: Settings): RequestLimits & { pendingBytes: number } {
  const pendingBytes = pending ?? memoryBudget(1 / 4, 512 * 2 ** 20);
  const bodyBytes = body ?? Math.min(128 * 2 ** 20, Math.floor(pendingBytes / 2));
  return { pendingBytes, INGEST_MAX_BODY_BYTES: bodyBytes, INGEST_MAX_REQUEST_EVENTS };
}
