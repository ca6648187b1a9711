import { DuplicateWindow } from '@logloom/event-log';
import { connectLog } from '@logloom/runtime';
import { formatMicros, isCanaryEvent, placeId, topics } from '@logloom/schemas';
import { parseSettings } from '../../apps/logloom/src/settings.ts';
import { MongoClient, type MongoClientOptions } from 'mongodb';
import { readFileSync } from 'node:fs';
import type { RuledDocument } from '../pipeline/ruled-requests.ts';
import type { Services } from './services.ts';

/** An event where a view has it, as text: `id partition/offset`. */
export type Place = string;

export interface LoggedEvent {
  place: Place;
  partition: number;
  offset: number;
  correlationId: string | null;
  /** See contentOf. */
  content: string;
}

/** What a deployment's views are asked by. */
export type Queried = Pick<Services, 'env' | 'get'>;

export interface Logged {
  /** Without the duplicates that a reader drops. */
  events: LoggedEvent[];
  duplicates: number;
}

export interface Document extends RuledDocument {
  partition: number;
  eventCount: number;
  members: number[];
}

/** What tells an input line from the others, but for lines that are exact repeats. */
export function contentOf(e: { timestamp: string; service: string; message: string }): string {
  // The log keeps microseconds and writes six digits; a time without a zone is UTC.
  const [second, fraction = ''] = e.timestamp.replace('Z', '').split('.');
  return `${second}.${fraction.slice(0, 6).padEnd(6, '0')}Z ${e.service} ${e.message}`;
}

/** The log itself, without the events of a canary, read with no service's help. */
export async function readLog({ env }: Pick<Services, 'env'>): Promise<Logged> {
  await using connection = await connectLog(parseSettings(env));
  const { log, serde } = connection;
  const events: LoggedEvent[] = [];
  let duplicates = 0;
  const ends = await log.endOffsets(topics.events);
  for (const [partition, end] of ends.entries()) {
    const epoch = await log.epochOf(topics.events);
    const window = new DuplicateWindow();
    for (let next = 0; next < end;) {
      const records = await log.read(topics.events, partition, next, 5_000);
      if (records.length === 0) break;
      await serde.load(records.map(({ value }) => value));
      for (const { offset, value } of records) {
        const decoded = serde.decode(value);
        if (decoded.name !== 'LogEvent' || isCanaryEvent(decoded.value)) continue;
        const { source, correlationId, timestamp, service, message } = decoded.value;
        if (!window.admit(source, offset)) {
          duplicates++;
          continue;
        }
        const content = contentOf({ timestamp: formatMicros(timestamp), service, message });
        const place = placeOf({ id: placeId(epoch, partition, offset), partition, offset });
        events.push({ place, partition, offset, correlationId, content });
      }
      next = records.at(-1)!.offset + 1;
    }
  }
  return { events, duplicates };
}

/** By a plain HTTP request, as anybody could ask it. */
export async function elasticsearchCount({ env }: Pick<Services, 'env'>): Promise<number> {
  const url = env['ELASTICSEARCH_URL']!;
  await fetch(`${url}/logs*/_refresh`, { method: 'POST' });
  const response = await fetch(`${url}/logs*/_count`);
  const body = (await response.json()) as { count: number; _shards: { failed: number } };
  if (!response.ok || body._shards.failed > 0) throw new Error(JSON.stringify(body));
  return body.count;
}

/** Every event that the search returns, page by page. */
export async function searchedPlaces(services: Queried): Promise<Place[]> {
  const events = await allPages<{ id: string; partition: number; offset: number }>(
    services,
    '/api/search?order=asc',
    'events',
  );
  return events.map(placeOf);
}

/** Every event of the archive, asked of the database itself. */
export async function archivedPlaces({ env }: Pick<Services, 'env'>): Promise<Place[]> {
  const client = new MongoClient(env['MONGODB_URL']!, mongoOptions(env));
  try {
    const db = client.db('logloom');
    const names = (await db.listCollections().toArray()).map(({ name }) => name);
    const places: Place[] = [];
    for (const name of names.filter((n) => n.startsWith('events_'))) {
      const fields = { projection: { partition: 1, offset: 1 } };
      const found = db.collection<{ _id: string; partition: number; offset: number }>(name).find({}, fields);
      for await (const { _id: id, partition, offset } of found)
        places.push(placeOf({ id, partition, offset }));
    }
    return places;
  } finally {
    await client.close();
  }
}

/** Of a secured stack. */
function mongoOptions(env: Services['env']): MongoClientOptions {
  const { MONGODB_USERNAME: username, MONGODB_PASSWORD_FILE: file, MONGODB_TLS_CA_FILE: tlsCAFile } = env;
  if (username === undefined || file === undefined || tlsCAFile === undefined) return {};
  return { tlsCAFile, auth: { username, password: readFileSync(file, 'utf8').trim() } };
}

export async function allDocuments(services: Queried): Promise<Document[]> {
  return allPages<Document>(services, '/api/correlations?', 'correlations');
}

export function placeOf(e: { id: string; partition: number; offset: number }): Place {
  return `${e.id} ${e.partition}/${e.offset}`;
}

async function allPages<T>(services: Queried, path: string, name: string): Promise<T[]> {
  const items: T[] = [];
  let next: string | undefined;
  do {
    const cursor = next === undefined ? '' : `&cursor=${encodeURIComponent(next)}`;
    const page = await services.get<Record<string, unknown>>(`${path}&limit=1000${cursor}`);
    items.push(...(page[name] as T[]));
    next = page['next'] as string | undefined;
  } while (next !== undefined);
  return items;
}
