import type { Archive, Place } from '@logloom/archive';
import type { EventLog } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import {
  epochOfId,
  mayBeOfEpoch,
  memberPlaces,
  placeEvent,
  topics,
  type Correlation,
  type MemberPlace,
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
  const places = memberPlaces(document);
  const members = new Set(places.map(textOf));
  const epoch = epochOfId(document.id);
  const events: PlacedEvent[] = [];
  const before = after?.count ?? 0;
  let bytes = 0;
  const isFull = (event: PlacedEvent): boolean => {
    events.push(event);
    bytes += memberBytes(event);
    return (events.length >= limit || bytes >= maxBytes) && before + events.length < places.length;
  };
  const end = ({ timestamp, partition, offset }: Place): MembersPage => ({
    events: inTimeOrder(events),
    next: { timestamp, partition, offset, count: before + events.length },
  });
  if (limit === 0) return { events };

  let place: Place | undefined = after;
  while (place?.timestamp !== behindArchive) {
    throwIfCancelled();
    const part = await archivedPart(deps.archive, document, place, maxBytes);
    if (part.length === 0) break;
    for (const event of part) {
      place = event;
      // If logs.events was recreated, two logs have events at the same offset.
      if (!members.has(textOf(event)) || !mayBeOfEpoch(event.id, epoch)) continue;
      if (isFull(event)) return end(event);
    }
  }
  if (before + events.length >= places.length) return { events };

  for (const event of events) members.delete(textOf(event));
  const from = after?.timestamp === behindArchive ? after : undefined;
  for (const { partition, offset } of places.toSorted(byPlace)) {
    if (from !== undefined && byPlace({ partition, offset }, from) <= 0) continue;
    if (!members.has(textOf({ partition, offset }))) continue;
    throwIfCancelled();
    // It may have been on an earlier page.
    if (after !== undefined && (await deps.archive.range(epoch, partition, offset, offset + 1, 1)).length > 0)
      continue;
    const event = await loggedEvent(deps, document.id, partition, offset);
    if (event !== undefined && isFull(event)) return end({ timestamp: behindArchive, partition, offset });
  }
  return { events: inTimeOrder(events) };
}

/**
 * The next events of the archive, in time order, under the document's correlation id and those that joined it. Several ids are read in
 * parts that end at the same time, so that none overtakes another.
 */
async function archivedPart(
  archive: Archive,
  document: Correlation,
  after: Place | undefined,
  maxBytes: number,
): Promise<PlacedEvent[]> {
  const ids = [document.correlationId, ...((document.forwarded ?? []).length > 0 ? document.ids : [])];
  const parts = await Promise.all(
    ids.map((id) => archive.byCorrelation(id, { ...rangeOf(document), after, maxBytes })),
  );
  const [first, ...others] = parts;
  if (others.length === 0) return first!;
  // An id whose part is whole answers with nothing next time; the part that ends first is the limit of all that are not.
  const events = parts.flat().sort(inArchiveOrder);
  const ends = (await Promise.all(parts.map((part, i) => isEnd(archive, ids[i]!, document, part)))).map(
    (isWhole, i) => (isWhole ? undefined : parts[i]!.at(-1)!),
  );
  const limit = ends.filter((end) => end !== undefined).sort(inArchiveOrder)[0];
  return limit === undefined ? events : events.filter((event) => inArchiveOrder(event, limit) <= 0);
}

/** Whether the archive has nothing of an id behind a part. */
async function isEnd(
  archive: Archive,
  id: string,
  document: Correlation,
  part: readonly PlacedEvent[],
): Promise<boolean> {
  const after = part.at(-1);
  if (after === undefined) return true;
  const next = await archive.byCorrelation(id, { ...rangeOf(document), after, limit: 1 });
  return next.length === 0;
}

function inArchiveOrder(a: Place, b: Place): number {
  return a.timestamp - b.timestamp || byPlace(a, b);
}

function byPlace(a: MemberPlace, b: MemberPlace): number {
  return a.partition - b.partition || a.offset - b.offset;
}

function textOf({ partition, offset }: MemberPlace): string {
  return `${partition}/${offset}`;
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
  return events.sort(inArchiveOrder);
}

/** Roughly the size of a member. */
export function memberBytes({ message, attributes }: PlacedEvent): number {
  return 300 + message.length + attributes.length;
}
