import { makeRequest, seededRandom, type DemoEvent } from '../../apps/logloom/src/demo/demo-traffic.ts';
import { partitionOf, type EventLog } from '../../libs/event-log/src/index.ts';
import type { Serde } from '../../libs/schema-registry/src/index.ts';
import { topics, type Level } from '../../libs/schemas/src/index.ts';
import { setTimeout as sleep } from 'node:timers/promises';

const requestsPerSecond = 4_000;
const sliceMs = 50;

/**
 * Writes about `count` events of the demo shop's requests into logs.events, each when it happens, and after `quietMs` an event without an
 * id in each partition: by then every group is due. Gives how many events and ids there are.
 */
export async function recordTraffic(
  log: EventLog,
  serde: Serde,
  partitions: number,
  count: number,
  quietMs: number,
): Promise<{ events: number; ids: number }> {
  const random = seededRandom(1);
  const slices: DemoEvent[][] = [];
  let events = 0;
  let ids = 0;
  for (; events < count; ids++) {
    const beginMs = (ids / requestsPerSecond) * 1000;
    for (const event of makeRequest(random)) {
      events++;
      (slices[Math.floor((beginMs + event.atMs) / sliceMs)] ??= []).push(event);
    }
  }

  let offset = 0;
  const encode = (event: DemoEvent | null, partition: number, key: string): ReturnType<typeof recordOf> =>
    recordOf(serde, event, partition, key, offset++);
  const start = performance.now();
  for (let i = 0; i < slices.length; i++) {
    await sleep(Math.max(0, start + i * sliceMs - performance.now()));
    const records = (slices[i] ?? []).map((event) =>
      encode(event, partitionOf(event.traceId, partitions), event.traceId),
    );
    if (records.length > 0) await log.append(topics.events, records);
  }
  await sleep(quietMs);
  const last = Array.from({ length: partitions }, (_, partition) =>
    encode(null, partition, `end-${partition}`),
  );
  await log.append(topics.events, last);
  return { events, ids };
}

function recordOf(serde: Serde, event: DemoEvent | null, partition: number, key: string, offset: number) {
  const now = Date.now();
  const value = serde.encode('LogEvent', {
    source: { kind: 'http', topic: 'bench', partition: 0, offset, index: 0 },
    timestamp: now * 1000,
    receivedAt: now,
    level: (event?.level ?? 'info') as Level,
    service: event?.service ?? 'bench',
    host: event?.host ?? null,
    message: event?.message ?? 'end',
    correlationId: event?.traceId ?? null,
    correlationKind: event === null ? null : 'traceId',
    traceId: event?.traceId ?? null,
    spanId: event?.spanId ?? null,
    attributes: JSON.stringify(event?.attributes ?? {}),
  });
  return { partition, key, value };
}
