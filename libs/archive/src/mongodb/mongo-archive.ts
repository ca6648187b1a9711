import { AccessFaults, EngineAccessError } from '@logloom/settings/connection';
import type { Correlation, PlacedEvent } from '@logloom/schemas';
import type { Archive, ByCorrelationOptions } from '../archive.ts';
import { accessFault, isPermission, type MongoAccess } from './access.ts';
import { eventBytes, maxAnswerBytes } from '../event-bytes.ts';
import {
  compareEvents,
  correlationDocumentOf,
  correlationOf,
  documentOf,
  eventOf,
  eventProjection,
} from './document.ts';
import { exceptDuplicates, withRetries } from './errors.ts';
import { eventsUpTo, scanSlices, type MongoScanQuery } from './scan.ts';
import { boundsOf, neighbourOf, otherEvents, sliceOf, slicesWithin } from './slices.ts';
import { MongoStore } from './store.ts';
import {
  filled,
  markFilled,
  missingCorrelations,
  missingEvents,
  noteRemoved,
  removedBefore,
} from './view.ts';

export interface MongoArchiveOptions {
  /** Makes no collections and indexes; for readers beside the writer. */
  readOnly?: boolean | undefined;
  /** How long a call waits for a server that can serve it. Default 10 seconds. */
  serverSelectionTimeoutMs?: number | undefined;
  /** Who asks, and by which certificates. */
  access?: MongoAccess | undefined;
  /** What the names of its collections begin with; default: nothing. */
  collectionPrefix?: string | undefined;
  /** Gets why a changed file with a credential cannot be used. */
  onTrouble?: ((message: string) => void) | undefined;
}

/** The archive with scans whose filter is tested by the servers. */
export interface MongoArchive extends Archive {
  scan(query: MongoScanQuery, signal: AbortSignal): AsyncIterable<PlacedEvent>;
}

/** How many slices are queried at a time for a correlation id whose time is unknown. */
const slicesAtOnce = 8;

/**
 * The archive in MongoDB: a collection for each month of events, spread over the shards by the hash of the correlation id (docs:
 * mongodb). The database is the URL's, or `logloom`. Rejects with ArchiveError when no server can be reached, with EngineAccessError when it
 * refuses this client.
 */
export async function openMongoArchive(
  url: string,
  {
    readOnly = false,
    serverSelectionTimeoutMs = 10_000,
    access,
    onTrouble,
    collectionPrefix,
  }: MongoArchiveOptions = {},
): Promise<MongoArchive> {
  const store = new MongoStore(url, {
    serverSelectionTimeoutMS: serverSelectionTimeoutMs,
    access,
    onTrouble,
    collectionPrefix,
  });
  try {
    await store.open(readOnly);
  } catch (error) {
    await store.close();
    const fault = accessFault(error);
    if (fault !== undefined) throw new EngineAccessError(`MongoDB (MONGODB_URL): ${fault}`, { cause: error });
    throw error;
  }
  const faults = new AccessFaults();
  return withFaults(faults, {
    problem: () => (faults.current === undefined ? undefined : `MongoDB (MONGODB_URL): ${faults.current}`),
    put: (events) => withRetries(() => putEvents(store, events)),
    putCorrelations: (documents) => withRetries(() => putCorrelations(store, documents)),
    byCorrelation: (correlationId, options) =>
      withRetries(() => byCorrelation(store, correlationId, options)),
    correlation: (id) =>
      withRetries(async () => {
        const found = await store.correlations.findOne({ _id: id });
        return found === null ? undefined : correlationOf(found);
      }),
    scan: (query, signal) => scanSlices(store, query, signal),
    range: (epoch, partition, fromOffset, toOffset, limit) =>
      withRetries(() => range(store, { epoch, partition, from: fromOffset, to: toOffset }, limit)),
    counts: () =>
      withRetries(async () => {
        const [events, correlations] = await Promise.all([
          store
            .sliceNames()
            .then((names) => Promise.all(names.map((name) => store.slice(name).estimatedDocumentCount()))),
          store.correlations.estimatedDocumentCount(),
        ]);
        return { events: events.reduce((sum, count) => sum + count, 0), correlations };
      }),
    filled: (epoch) => withRetries(() => filled(store, epoch)),
    markFilled: (epoch, moves) => withRetries(() => markFilled(store, epoch, moves)),
    removedBefore: () => withRetries(() => removedBefore(store)),
    missingEvents: (events) => withRetries(() => missingEvents(store, events)),
    missingCorrelations: (documents) => withRetries(() => missingCorrelations(store, documents)),
    dropBefore: async (micros) => {
      // Written first: after a crash, nobody expects the half-removed events to be there.
      await withRetries(() => noteRemoved(store, micros));
      return dropBefore(store, micros);
    },
    close: () => store.close(),
  });
}

/** The same archive, which notes what MongoDB refuses. */
function withFaults(faults: AccessFaults, archive: MongoArchive): MongoArchive {
  return new Proxy(archive, {
    get: (target, name: string) => {
      const method: unknown = Reflect.get(target, name, target);
      if (typeof method !== 'function') return method;
      return (...args: unknown[]) => {
        const result: unknown = (method as (...given: unknown[]) => unknown).apply(target, args);
        if (!(result instanceof Promise)) return result;
        return result.then(
          (value: unknown) => {
            faults.taken(name);
            return value;
          },
          (error: unknown) => {
            const fault = accessFault(error);
            if (fault !== undefined) faults.refused(fault, isPermission(error) ? name : undefined);
            throw error;
          },
        );
      };
    },
  });
}

async function putEvents(store: MongoStore, events: readonly PlacedEvent[]): Promise<void> {
  const firsts = new Map<string, PlacedEvent>();
  for (const event of events) if (!firsts.has(event.id)) firsts.set(event.id, event);
  await forgetDuplicates(store, firsts);
  const bySlice = Map.groupBy(firsts.values(), sliceOf);
  await Promise.all(
    Array.from(bySlice, async ([name, members]) => {
      await store.prepareSlice(name);
      await store.inSession((session) =>
        exceptDuplicates(store.slice(name).insertMany(members.map(documentOf), { ordered: false, session })),
      );
    }),
  );
}

/**
 * A collection's index refuses duplicates within the month; a duplicate whose timestamp lies beyond the month's end has to be looked up.
 */
async function forgetDuplicates(store: MongoStore, events: Map<string, PlacedEvent>): Promise<void> {
  const byNeighbour = Map.groupBy(events.values(), neighbourOf);
  byNeighbour.delete(undefined);
  if (byNeighbour.size === 0) return;
  const names = new Set(await store.sliceNames());
  for (const [name, members] of byNeighbour) {
    if (name === undefined || !names.has(name)) continue;
    const ids = members.map(({ id }) => id);
    const keys = [...new Set(members.map(({ correlationId, id }) => correlationId ?? id))];
    const duplicates = store
      .slice(name)
      .find({ _id: { $in: ids }, key: { $in: keys } }, { projection: { _id: 1 } });
    for await (const { _id } of duplicates) events.delete(_id);
  }
}

async function putCorrelations(store: MongoStore, documents: readonly Correlation[]): Promise<void> {
  const highest = new Map<string, Correlation>();
  for (const document of documents)
    if (document.revision > (highest.get(document.id)?.revision ?? 0)) highest.set(document.id, document);
  const write = async (which: readonly Correlation[], upsert: boolean): Promise<Correlation[]> => {
    if (which.length === 0) return [];
    const operations = which.map((document) => ({
      replaceOne: {
        filter: { _id: document.id, revision: { $lt: document.revision } },
        replacement: correlationDocumentOf(document),
        upsert,
      },
    }));
    const refused = await exceptDuplicates(store.correlations.bulkWrite(operations, { ordered: false }));
    return refused.map((index) => which[index]!);
  };
  // Refused: the document exists, at this revision or a higher one; or it was created at this moment, at a lower one.
  const refused = await write([...highest.values()], true);
  await write(refused, false);
}

async function byCorrelation(
  store: MongoStore,
  correlationId: string,
  options: ByCorrelationOptions = {},
): Promise<PlacedEvent[]> {
  const { fromMicros = -Infinity, toMicros = Infinity, limit = Infinity, after, maxBytes } = options;
  if (after !== undefined || maxBytes !== undefined) {
    // One slice after the other: all at once would hold more than the requested bytes in memory.
    const where = { key: correlationId, correlationId };
    const events: PlacedEvent[] = [];
    let bytes = 0;
    const signal = new AbortController().signal;
    for await (const event of scanSlices(store, { fromMicros, toMicros, where, after }, signal)) {
      events.push(event);
      bytes += eventBytes(event);
      if (events.length >= limit || bytes >= (maxBytes ?? Infinity)) break;
    }
    return events;
  }
  const read = async (slice: string): Promise<PlacedEvent[]> => {
    const timestamp = { $gte: fromMicros, $lt: toMicros };
    const found = store
      .slice(slice)
      // The key names the shard.
      .find({ key: correlationId, correlationId, timestamp }, { projection: eventProjection })
      .sort({ timestamp: 1, partition: 1, offset: 1 });
    return (await (limit === Infinity ? found : found.limit(limit)).toArray()).map(eventOf);
  };
  const events = await read(otherEvents);
  const strays = events.length;
  const slices = slicesWithin(await store.sliceNames(), fromMicros, toMicros);
  for (let i = 0; i < slices.length && events.length - strays < limit; i += slicesAtOnce) {
    const found = await Promise.all(slices.slice(i, i + slicesAtOnce).map(read));
    events.push(...found.flat());
  }
  return events.sort(compareEvents).slice(0, limit);
}

/** Offsets do not say which month: every slice is queried. */
async function range(
  store: MongoStore,
  { epoch, partition, from, to }: { epoch: string | undefined; partition: number; from: number; to: number },
  limit: number,
): Promise<PlacedEvent[]> {
  const place = { partition, offset: { $gte: from, $lt: to } };
  // As mayBeOfEpoch().
  const otherEpochs = new RegExp(`^(?!${epoch}-)[0-9A-Za-z]+-\\d+-\\d+$`);
  const query = epoch === undefined ? place : { ...place, _id: { $not: otherEpochs } };
  const events: PlacedEvent[] = [];
  const slices = await store.sliceNames();
  const maxBytes = maxAnswerBytes / slicesAtOnce;
  // A slice that was not read to its end may have more events behind this offset, so the next call continues there.
  let end = Infinity;
  for (let i = 0; i < slices.length; i += slicesAtOnce) {
    const found = await Promise.all(
      slices.slice(i, i + slicesAtOnce).map((slice) => {
        const documents = store
          .slice(slice)
          .find(query, { projection: eventProjection })
          .sort({ offset: 1 })
          .limit(limit);
        return eventsUpTo(documents, maxBytes);
      }),
    );
    for (const part of found) {
      const bytes = part.reduce((sum, event) => sum + eventBytes(event), 0);
      if (bytes >= maxBytes) end = Math.min(end, part.at(-1)!.offset);
      events.push(...part);
    }
  }
  return events
    .filter((event) => event.offset <= end)
    .sort((a, b) => a.offset - b.offset)
    .slice(0, limit);
}

async function dropBefore(store: MongoStore, micros: number): Promise<number> {
  let total = 0;
  for (const name of await withRetries(() => store.sliceNames())) {
    const { from, to } = boundsOf(name) ?? { from: -Infinity, to: Infinity };
    if (to <= micros) {
      total += await withRetries(() => store.slice(name).estimatedDocumentCount());
      await withRetries(() => store.dropSlice(name));
    } else if (from < micros) {
      const { deletedCount } = await withRetries(() =>
        store.inSession((session) =>
          store.slice(name).deleteMany({ timestamp: { $lt: micros } }, { session }),
        ),
      );
      total += deletedCount;
    }
  }
  await withRetries(() => store.correlations.deleteMany({ lastAt: { $lt: micros } }));
  return total;
}
