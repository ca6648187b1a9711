import type { Archive } from '@logloom/archive';
import type { EventLog } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import { memberOffsets, placeEvent, topics, type Correlation, type PlacedEvent } from '@logloom/schemas';

export interface CorrelationEventsDeps {
  archive: Archive;
  log: EventLog;
  serde: Serde;
}

/**
 * Exactly the members of a document, in time order. They come from the archive; a member that it does not have yet (the document's
 * topic was read faster than the events') comes from the log. Members that neither keeps any more are left out.
 */
export async function correlationEvents(
  { archive, log, serde }: CorrelationEventsDeps,
  document: Correlation,
): Promise<PlacedEvent[]> {
  const offsets = memberOffsets(document);
  const members = new Set(offsets);
  const archived = await archive.byCorrelation(document.correlationId, {
    fromMicros: document.firstAt,
    toMicros: document.lastAt + 1,
  });
  const events = archived.filter((e) => e.partition === document.partition && members.has(e.offset));
  if (events.length === offsets.length) return events;
  const epoch = await log.epochOf(topics.events);
  for (const { offset } of events) members.delete(offset);
  for (const offset of members) {
    const [record] = await log.read(topics.events, document.partition, offset, 1);
    if (record?.offset !== offset) continue;
    await serde.load([record.value]);
    const decoded = serde.decode(record.value);
    if (decoded.name === 'LogEvent')
      events.push(placeEvent(decoded.value, epoch, document.partition, offset));
  }
  return events.sort((a, b) => a.timestamp - b.timestamp || a.offset - b.offset);
}
