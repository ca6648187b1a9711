import { compileMongo, type Filter } from '@logloom/filter';
import type { PlacedEvent } from '@logloom/schemas';
import type { Place, ScanQuery } from '../archive.ts';
import { eventBytes, maxAnswerBytes } from '../event-bytes.ts';
import { compareEvents, eventOf, eventProjection } from './document.ts';
import { withRetries } from './errors.ts';
import { otherEvents, slicesWithin } from './slices.ts';
import type { MongoStore } from './store.ts';

export interface MongoScanQuery extends ScanQuery {
  /** Only the events that match; the servers test them, so that the others never cross the network. */
  filter?: Filter | undefined;
  /** A condition in the driver's own form, also tested by the servers. */
  where?: object;
  /** Only what comes after this place. */
  after?: Place | undefined;
}

const scanStep = 1000;

/** The events of the range in time order; see Archive.scan. */
export async function* scanSlices(
  store: MongoStore,
  query: MongoScanQuery,
  signal: AbortSignal,
): AsyncGenerator<PlacedEvent> {
  const strays = readInSteps(store, otherEvents, query);
  for await (const event of merge(readMonths(store, query), strays)) {
    if (signal.aborted) return;
    if (query.matches === undefined || query.matches(event)) yield event;
    if (signal.aborted) return;
  }
}

async function* readMonths(store: MongoStore, query: MongoScanQuery): AsyncGenerator<PlacedEvent> {
  // Listed again after each slice: one that is created meanwhile may lie ahead.
  for (let done = ''; ;) {
    const names = await withRetries(() => store.sliceNames());
    const next = slicesWithin(names, query.fromMicros, query.toMicros).find((name) => name > done);
    if (next === undefined) return;
    yield* readInSteps(store, next, query);
    done = next;
  }
}

/** Reads in steps, not through one cursor, which could time out while the reader is slow or be lost when another server takes over. */
async function* readInSteps(
  store: MongoStore,
  slice: string,
  { fromMicros, toMicros, filter, where, after: start }: MongoScanQuery,
): AsyncGenerator<PlacedEvent> {
  const wanted = [
    ...(filter === undefined ? [] : [compileMongo(filter)]),
    ...(where === undefined ? [] : [where]),
  ];
  let last: Place | undefined = start;
  for (;;) {
    const range = { timestamp: { $gte: Math.max(fromMicros, last?.timestamp ?? -Infinity), $lt: toMicros } };
    const ahead = last === undefined ? [] : [after(last)];
    const events = await withRetries(() =>
      store.inSession((session) => {
        const found = store
          .slice(slice, { fromSecondaries: true })
          .find({ $and: [range, ...ahead, ...wanted] }, { session, projection: eventProjection })
          .sort({ timestamp: 1, partition: 1, offset: 1 })
          .limit(scanStep);
        return eventsUpTo(found, maxAnswerBytes);
      }),
    );
    yield* events;
    if (events.length === 0) return;
    last = events.at(-1);
  }
}

/** Document by document, up to the one that exceeds this many bytes; the driver holds one batch of at most 16 MiB beside them. */
export async function eventsUpTo(
  documents: AsyncIterable<Parameters<typeof eventOf>[0]>,
  maxBytes: number,
): Promise<PlacedEvent[]> {
  const events: PlacedEvent[] = [];
  let bytes = 0;
  // Leaving the loop closes the cursor.
  for await (const document of documents) {
    const event = eventOf(document);
    events.push(event);
    bytes += eventBytes(event);
    if (bytes >= maxBytes) break;
  }
  return events;
}

function after({ timestamp, partition, offset }: Place): object {
  return {
    $or: [
      { timestamp: { $gt: timestamp } },
      { timestamp, partition: { $gt: partition } },
      { timestamp, partition, offset: { $gt: offset } },
    ],
  };
}

/** Two streams in time order as one. */
async function* merge(
  left: AsyncGenerator<PlacedEvent>,
  right: AsyncGenerator<PlacedEvent>,
): AsyncGenerator<PlacedEvent> {
  let [a, b] = await Promise.all([left.next(), right.next()]);
  while (a.done !== true && b.done !== true) {
    if (compareEvents(a.value, b.value) <= 0) {
      yield a.value;
      a = await left.next();
    } else {
      yield b.value;
      b = await right.next();
    }
  }
  if (a.done !== true) yield a.value;
  if (b.done !== true) yield b.value;
  yield* left;
  yield* right;
}
