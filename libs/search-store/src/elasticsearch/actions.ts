import type { Correlation, PlacedEvent } from '@logloom/schemas';
import { correlationSource, documentId, eventJson } from './documents.ts';

/** The lines of a bulk that store an event in the index, unless it exists. */
export function createEvent(index: string, event: PlacedEvent): string {
  return `{"create":{"_index":"${index}","_id":${JSON.stringify(documentId(event.id))}}}\n${eventJson(event)}`;
}

/**
 * The lines of a bulk that store a correlation document in the index, unless this or a higher revision exists. One that was joined into
 * another is removed.
 */
export function putCorrelation(index: string, document: Correlation): string {
  const version = { version: document.revision, version_type: 'external' };
  const meta = { _index: index, _id: documentId(document.id), ...version };
  if (document.joinedInto) return `{"delete":${JSON.stringify(meta)}}`;
  return `{"index":${JSON.stringify(meta)}}\n${JSON.stringify(correlationSource(document))}`;
}

/** Keeps the first event of each id: requests overtake each other, and the first one has to stay. */
export function firstOfEachId(events: readonly PlacedEvent[]): PlacedEvent[] {
  const byId = new Map<string, PlacedEvent>();
  for (const event of events) if (!byId.has(event.id)) byId.set(event.id, event);
  return [...byId.values()];
}
