import type { Archive, Place } from '@logloom/archive';
import type { EventLog } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import {
  epochOfId,
  mayBeOfEpoch,
  memberOffsets,
  placeEvent,
  topics,
  type Correlation,
  type PlacedEvent,
} from '@logloom/schemas';
import { throwIfCancelled } from '@logloom/search-store';

export interface CorrelationEventsDeps {
  archive: Archive;
  log: EventLog;
  serde: Serde;
}

/** Where a page of members ended, and how many were returned until then. */
export interface MembersPlace extends Place {
  count: number;
}

export interface MembersPageOptions {
  after?: MembersPlace | undefined;
  limit: number;
  /** A page ends with the event that exceeds this many bytes. */
  maxBytes: number;
}

export interface MembersPage {
  /** In time order. */
  events: PlacedEvent[];
  /** Absent on the last page. */
  next?: MembersPlace;
}

/** A place after everything in the archive: the rest is read from the log. */
export const behindArchive = Number.MAX_SAFE_INTEGER;

/**
 * A page of exactly the members of a document, in time order. They come from the archive. A member that it does not have yet (the
 * document's topic was read faster than the events') comes from the log; if the archive fills more than a page, such members come last,
 * whatever their time. Members that neither keeps any more are left out.
 */
export async function correlationEventsPage(
  deps: CorrelationEventsDeps,
  document: Correlation,
  { after, limit, maxBytes }: MembersPageOptions,
): Promise<MembersPage> {
  const offsets = memberOffsets(document);
  const members = new Set(offsets);
  const { partition } = document;
  const epoch = epochOfId(document.id);
  const events: PlacedEvent[] = [];
  const before = after?.count ?? 0;
  let bytes = 0;
  const isFull = (event: PlacedEvent): boolean => {
    events.push(event);
    bytes += memberBytes(event);
    return (events.length >= limit || bytes >= maxBytes) && before + events.length < offsets.length;
  };
  const end = ({ timestamp, offset }: Pick<Place, 'timestamp' | 'offset'>): MembersPage => ({
    events: inTimeOrder(events),
    next: { timestamp, partition, offset, count: before + events.length },
  });
  if (limit === 0) return { events };

  let place: Place | undefined = after;
  while (place?.timestamp !== behindArchive) {
    throwIfCancelled();
    const part = await deps.archive.byCorrelation(document.correlationId, {
      ...rangeOf(document),
      after: place,
      maxBytes,
    });
    if (part.length === 0) break;
    for (const event of part) {
      place = event;
      // If logs.events was recreated, two logs have events at the same offset.
      if (event.partition !== partition || !members.has(event.offset) || !mayBeOfEpoch(event.id, epoch))
        continue;
      if (isFull(event)) return end(event);
    }
  }
  if (before + events.length >= offsets.length) return { events };

  for (const { offset } of events) members.delete(offset);
  const from = after?.timestamp === behindArchive ? after.offset + 1 : 0;
  for (const offset of offsets.toSorted((a, b) => a - b)) {
    if (offset < from || !members.has(offset)) continue;
    throwIfCancelled();
    // It may have been on an earlier page.
    if (after !== undefined && (await deps.archive.range(epoch, partition, offset, offset + 1, 1)).length > 0)
      continue;
    const event = await loggedEvent(deps, document.id, partition, offset);
    if (event !== undefined && isFull(event)) return end({ timestamp: behindArchive, offset });
  }
  return { events: inTimeOrder(events) };
}

function rangeOf({ firstAt, lastAt }: Correlation): { fromMicros: number; toMicros: number } {
  return { fromMicros: firstAt, toMicros: lastAt + 1 };
}

async function loggedEvent(
  { log, serde }: CorrelationEventsDeps,
  documentId: string,
  partition: number,
  offset: number,
): Promise<PlacedEvent | undefined> {
  const epoch = await log.epochOf(topics.events);
  if (!mayBeOfEpoch(documentId, epoch)) return undefined;
  const [record] = await log.read(topics.events, partition, offset, 1);
  if (record?.offset !== offset) return undefined;
  await serde.load([record.value]);
  const decoded = serde.decode(record.value);
  if (decoded.name !== 'LogEvent') return undefined;
  return placeEvent(decoded.value, epoch, partition, offset);
}

function inTimeOrder(events: PlacedEvent[]): PlacedEvent[] {
  return events.sort((a, b) => a.timestamp - b.timestamp || a.offset - b.offset);
}

/** Roughly the size of a member. */
export function memberBytes({ message, attributes }: PlacedEvent): number {
  return 300 + message.length + attributes.length;
}
