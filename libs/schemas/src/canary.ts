import type { Correlation, LogEvent } from './generated/types.ts';

/**
 * The correlation kind of the canary's events and documents. Ingest alone sets it, for events with a valid seal (CanarySeal in libs/auth), so
 * no sender can. Readers keep what has it from everyone but the canary (docs/adr, 36).
 */
export const canaryKind = 'canary';

/** Whether the event belongs to the canary: users never see it, and no store of theirs holds it. */
export function isCanaryEvent({ correlationKind }: Pick<LogEvent, 'correlationKind'>): boolean {
  return correlationKind === canaryKind;
}

/** Whether the document is made of the canary's events. */
export function isCanaryDocument({ kind }: Pick<Correlation, 'kind'>): boolean {
  return kind === canaryKind;
}
