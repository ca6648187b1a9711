import { LiveClient } from '@logloom/viewer';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from '../../../apps/logloom/src/commands/command-errors.ts';
import { getJson } from '../../../apps/logloom/src/commands/endpoint.ts';
import { sendBatches } from '../../../apps/logloom/src/send/send-batches.ts';
import { eventsPerRequest, requestOf, smokeEvent } from './smoke-event.ts';

export interface SmokeTarget {
  ingestUrl: string;
  apiUrl: string;
  liveUrl: string;
  /** For a Logloom that asks for them. */
  key: string | undefined;
  token: string | undefined;
}

export interface SmokeResult {
  /** Marks the events: `attributes.smoke.run`. */
  run: string;
  events: number;
  requests: number;
  /** Of logs.events; each has got an event. */
  partitions: number;
}

const requestsPerRound = 32;
const maxRounds = 64;
const pollMs = 250;
const pageItems = 1_000;

/**
 * Sends marked requests until every partition has got one, and finds each event once in the search and at a live viewer, and each request
 * with its events. So whoever has a partition has shown that it works. Throws with what is missing when the signal aborts.
 */
export async function smokeTest(target: SmokeTarget, signal: AbortSignal): Promise<SmokeResult> {
  const run = randomBytes(6).toString('hex');
  const filter = `attributes.smoke.run:"${run}"`;
  const seen: number[] = [];
  let waitingFor = 'the live subscription';
  const fail = (error: unknown): never => {
    if (!signal.aborted) throw error;
    throw new Error(`smoke test ${run}: still waiting for ${waitingFor}`, { cause: error });
  };
  const client = new LiveClient({
    url: new URL('/live', target.liveUrl.replace(/^http/, 'ws')),
    ...(target.token === undefined ? {} : { token: target.token }),
    signal,
  });
  try {
    await subscribed(client, filter, seen, signal);
    const partitions = await partitionsOf(target, signal);
    let sent = 0;
    const covered = new Set<number>();
    for (let round = 1; covered.size < partitions && round <= maxRounds; round++) {
      const batch = Array.from({ length: requestsPerRound * eventsPerRequest }, (_, i) =>
        JSON.stringify(smokeEvent(run, sent + i)),
      );
      waitingFor = `${target.ingestUrl} to accept events`;
      await send(target, batch, signal);
      sent += batch.length;
      waitingFor = `${sent} events in the search`;
      for (const { partition } of await untilFound(target, filter, sent, signal)) covered.add(partition);
    }
    if (covered.size < partitions)
      throw new Error(
        `smoke test ${run}: ${sent} events reached ${covered.size} of ${partitions} partitions only`,
      );
    waitingFor = `${sent} events at the live viewer`;
    while (seen.length < sent) await sleep(pollMs, undefined, { signal });
    assertOnce(`smoke test ${run}: the live viewer`, seen, sent);
    waitingFor = `${sent / eventsPerRequest} requests with their events`;
    await untilCorrelated(target, run, sent, signal);
    return { run, events: sent, requests: sent / eventsPerRequest, partitions };
  } catch (error) {
    return fail(error);
  } finally {
    client.close();
  }
}

async function subscribed(
  client: LiveClient,
  filter: string,
  seen: number[],
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  client.subscribe(
    { filter, stream: 'events', from: 'now' },
    {
      onSubscribed: () => resolve(),
      onItems: (items) => {
        for (const { attributes } of items as { attributes: { smoke: { n: number } } }[])
          seen.push(attributes.smoke.n);
      },
      onError: ({ code, message }) => reject(new Error(`${message} (${code})`)),
    },
  );
  client.connect();
  await promise;
}

async function partitionsOf(target: SmokeTarget, signal: AbortSignal): Promise<number> {
  for (;;) {
    const status = await ask<{ topics: Record<string, unknown[]> }>(target, '/api/status', {}, signal);
    const partitions = status.topics['logs.events']?.length ?? 0;
    if (partitions > 0) return partitions;
    await sleep(pollMs, undefined, { signal });
  }
}

async function send({ ingestUrl, key }: SmokeTarget, lines: string[], signal: AbortSignal): Promise<void> {
  async function* once(): AsyncGenerator<string[]> {
    yield lines;
  }
  const { accepted, reasons } = await sendBatches(once(), {
    url: ingestUrl,
    key,
    signal,
    onProgress: () => {},
  });
  if (accepted !== lines.length)
    throw new Error(
      `${ingestUrl} accepted ${accepted} of ${lines.length} events: ${JSON.stringify(reasons)}`,
    );
}

interface FoundEvent {
  partition: number;
  attributes: { smoke: { n: number } };
}

/** All marked events, when there are as many as that. Throws if one is there twice. */
async function untilFound(
  target: SmokeTarget,
  filter: string,
  count: number,
  signal: AbortSignal,
): Promise<FoundEvent[]> {
  for (;;) {
    const found = await allPages<FoundEvent>(target, '/api/search', filter, 'events', signal);
    if (found.length >= count) {
      assertOnce(
        'the search',
        found.map(({ attributes }) => attributes.smoke.n),
        count,
      );
      return found;
    }
    await sleep(pollMs, undefined, { signal });
  }
}

/** Resolves when each request has its events, which may be in several documents. */
async function untilCorrelated(
  target: SmokeTarget,
  run: string,
  events: number,
  signal: AbortSignal,
): Promise<void> {
  const wanted = new Set(Array.from({ length: events }, (_, n) => requestOf(run, n)));
  for (;;) {
    const documents = await allPages<{ correlationId: string; eventCount: number }>(
      target,
      '/api/correlations',
      `correlationId:smoke-${run}-*`,
      'correlations',
      signal,
    );
    const counts = new Map<string, number>();
    for (const { correlationId, eventCount } of documents)
      counts.set(correlationId, (counts.get(correlationId) ?? 0) + eventCount);
    const surplus = [...counts].filter(([, count]) => count > eventsPerRequest);
    if (surplus.length > 0) throw new Error(`requests with too many events: ${JSON.stringify(surplus)}`);
    if ([...wanted].every((id) => counts.get(id) === eventsPerRequest)) return;
    await sleep(pollMs, undefined, { signal });
  }
}

function assertOnce(where: string, numbers: readonly number[], count: number): void {
  if (numbers.length === count && new Set(numbers).size === count) return;
  throw new Error(
    `${where} has ${numbers.length} events, of them ${new Set(numbers).size} different ones, for ${count}`,
  );
}

async function allPages<T>(
  target: SmokeTarget,
  path: string,
  q: string,
  name: string,
  signal: AbortSignal,
): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await ask<Record<string, unknown>>(
      target,
      path,
      { q, limit: String(pageItems), cursor },
      signal,
    );
    items.push(...(page[name] as T[]));
    cursor = page['next'] as string | undefined;
  } while (cursor !== undefined);
  return items;
}

/** GET of the API. No response is no answer yet: it is asked again until the signal aborts. */
async function ask<T>(
  { apiUrl, token }: SmokeTarget,
  path: string,
  query: Record<string, string | undefined>,
  signal: AbortSignal,
): Promise<T> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return (await getJson({ url: apiUrl, token }, path, query)) as T;
    } catch (error) {
      if (!(error instanceof CommandError && error.code === 'no-response')) throw error;
    }
    await sleep(pollMs, undefined, { signal });
  }
}
