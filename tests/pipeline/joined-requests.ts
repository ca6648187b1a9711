import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom, type Random } from '../../apps/logloom/src/demo/demo-traffic.ts';

type Ids = Partial<Record<'correlationId' | 'traceId' | 'requestId' | 'sessionId', string>>;

/** An event of the traffic: `n` is in its message, so that it is recognized wherever it is found. */
export interface JoinedEvent {
  n: number;
  /** When it is sent, ms after the beginning. */
  atMs: number;
  ids: Ids;
  level: string;
  service: string;
}

/** Traffic of requests with several ids, and what is true of it. */
export interface JoinedTraffic {
  /** In the order in which they are sent. */
  events: JoinedEvent[];
  /** The events of each request, by the ids alone; an event without any id is in none. */
  requests: number[][];
}

/** What is written where there is no id. */
export const placeholders = [
  '-',
  'null',
  'N/A',
  '0',
  '00000000-0000-0000-0000-000000000000',
  'undefined',
  'none',
];
const services = ['gateway', 'orders', 'payment', 'stock', 'mail'];
const joining = ['correlationId', 'traceId', 'requestId'] as const;
const spanMs = 2000;

/**
 * So many requests, the same for the same seed: with one id or several, per hop or for all of it, under a session that many share; with
 * events that come late, out of order, or bring the link of two ids last; short, long and chatty ones; and a placeholder instead of an id
 * in every tenth event. Nothing says which events belong together but the ids.
 */
export function joinedRequests(seed: number, requests: number, lengthMs: number): JoinedTraffic {
  const random = seededRandom(seed);
  const events = Array.from({ length: requests }, (_, i) => request(random, i, random() * lengthMs)).flat();
  events.sort((a, b) => a.atMs - b.atMs);
  events.forEach((event, n) => (event.n = n));
  return { events, requests: truth(events) };
}

function request(random: Random, i: number, beginMs: number): JoinedEvent[] {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const id = (kind: string, k = 0): string => `${kind}-${i}-${k}-${Math.floor(random() * 1e9).toString(36)}`;
  const sessionId = `session-${i % 7}`;
  const hops = Array.from({ length: 1 + Math.floor(random() * 4) }, (_, k) => id('r', k));
  const traces = Array.from({ length: random() < 0.15 ? 2 : 1 }, (_, k) => id('t', k));
  const correlationId = random() < 0.2 ? id('c') : undefined;
  const isChatty = random() < 0.03;
  const isLong = random() < 0.1;
  const endMs = beginMs + (isLong ? 3 : 1) * spanMs * random();
  const events: JoinedEvent[] = [];
  const add = (ids: Ids, atMs: number): void => {
    // In a field that has no other id: which ids an event has is not changed by it.
    const free = joining.filter((kind) => ids[kind] === undefined);
    const withPlaceholder = random() < 0.1 && free.length > 0 ? { [pick(free)]: pick(placeholders) } : {};
    const withSession = random() < 0.3 ? { sessionId } : {};
    const level = random() < 0.1 ? 'error' : 'info';
    const all = { ...ids, ...withPlaceholder, ...withSession };
    events.push({ n: 0, atMs, ids: all, level, service: pick(services) });
  };
  const count = isChatty ? 150 : 2 + Math.floor(random() * 8);
  for (let k = 0; k < count; k++) {
    const atMs = beginMs + random() * (endMs - beginMs);
    const requestId = pick(hops);
    const traceId = pick(traces);
    const choice = random();
    if (choice < 0.35) add({ traceId }, atMs);
    else if (choice < 0.6) add({ requestId }, atMs);
    else if (choice < 0.9) add({ traceId, requestId }, atMs);
    else if (correlationId !== undefined) add({ correlationId, traceId }, atMs);
    else add({}, atMs);
  }
  // What links its ids may come at any time, also when all others are there.
  if (random() < 0.5)
    for (const requestId of hops) add({ traceId: traces[0]!, requestId }, endMs + random() * spanMs);
  return events;
}

function truth(events: readonly JoinedEvent[]): number[][] {
  const parent = new Map<string, string>();
  const root = (id: string): string => {
    const above = parent.get(id) ?? id;
    return above === id ? id : root(above);
  };
  const idsOf = ({ ids }: JoinedEvent): string[] =>
    joining.flatMap((kind) =>
      ids[kind] === undefined || placeholders.includes(ids[kind]) ? [] : [ids[kind]],
    );
  for (const event of events) {
    const [first, ...others] = idsOf(event);
    for (const other of others) parent.set(root(other), root(first!));
  }
  const requests = new Map<string, number[]>();
  for (const event of events) {
    // A session joins nothing, and stands for an event that has nothing else.
    const [id = event.ids.sessionId] = idsOf(event);
    if (id === undefined) continue;
    const members = requests.get(root(id));
    if (members === undefined) requests.set(root(id), [event.n]);
    else members.push(event.n);
  }
  return [...requests.values()];
}

/** An event as a line of JSON. */
function lineOf({ n, ids, level, service }: JoinedEvent): string {
  return JSON.stringify({ level, service, message: `event ${n}`, ...ids });
}

/** The events as lines of JSON, in batches, at the times at which they are to be sent. */
export async function* pacedLines(events: readonly JoinedEvent[]): AsyncGenerator<string[]> {
  const begin = performance.now();
  for (let i = 0; i < events.length;) {
    const untilMs = Math.max(events[i]!.atMs, performance.now() - begin);
    await sleep(Math.max(0, untilMs - (performance.now() - begin)));
    const end = events.findIndex((event, k) => k > i && event.atMs > untilMs + 50);
    const batch = events.slice(i, end < 0 ? undefined : end);
    yield batch.map(lineOf);
    i += batch.length;
  }
}
