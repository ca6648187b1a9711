import { openEmbeddedArchive } from '@logloom/archive';
import { SqliteEventLog } from '@logloom/event-log';
import { createSqliteJobQueue, createSqliteJobRecords } from '@logloom/job-queue';
import { AddressRules } from '@logloom/notify';
import { createEmbeddedSchemaRegistry, createSerde } from '@logloom/schema-registry';
import { placeEvent, topics, type LogEvent, type PlacedEvent } from '@logloom/schemas';
import { openEmbeddedSearchStore } from '@logloom/search-store';
import { createTelemetry } from '@logloom/telemetry';
import { logEvent as testEvent, temporaryFolder } from '@logloom/testing';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ExchangeLock } from '../jobs/exchange-lock.ts';
import { createMetrics } from '../telemetry.ts';

export const partitions = 2;

/** For tests: everything embedded in a folder of its own, and a log to write down what is logged. */
export async function openRig() {
  const folder = temporaryFolder('jobs').path;
  const log = new SqliteEventLog(join(folder, 'log'));
  await log.createTopics(Object.values(topics).map((name) => ({ name, partitions })));
  const serde = await createSerde(createEmbeddedSchemaRegistry());
  const search = openEmbeddedSearchStore(join(folder, 'stores'));
  const archive = openEmbeddedArchive(join(folder, 'stores'));
  const queue = createSqliteJobQueue({ folder: join(folder, 'jobs'), pollMs: 5 });
  const records = createSqliteJobRecords(join(folder, 'jobs'));
  const logged: object[] = [];
  const note = (fields: object): void => void logged.push(fields);
  return {
    folder,
    log,
    serde,
    search,
    archive,
    queue,
    records,
    exchangeLock: new ExchangeLock(),
    webhookHosts: new AddressRules([], 'link-local'),
    notifier: { jobs: [], resume: async () => {} },
    retentionClock: { read: async () => Date.now() },
    logged,
    metrics: createMetrics(createTelemetry('indexer', 'silent')),
    logger: { info: note, warn: note, error: note },
    /** Appends events and returns them with their places. */
    append: async (events: readonly LogEvent[], partition = 0): Promise<PlacedEvent[]> => {
      const offsets = await log.append(
        topics.events,
        events.map((event) => ({ partition, key: event.service, value: serde.encode('LogEvent', event) })),
      );
      const epoch = await log.epochOf(topics.events);
      return events.map((event, i) => placeEvent(event, epoch, partition, offsets[i]!));
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([search.close(), archive.close(), queue.close(), records.close(), log.close()]);
      rmSync(folder, { recursive: true });
    },
  };
}

/** An event of 1 May 2024; `n` makes it another one, a second later. */
export function logEvent(n: number, rest: Partial<LogEvent> = {}): LogEvent {
  return testEvent(n, { timestamp: 1_714_564_800_000_000 + n * 1_000_000, receivedAt: 0, ...rest });
}
