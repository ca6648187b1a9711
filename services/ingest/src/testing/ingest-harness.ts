import { lockDataFolder, SqliteEventLog, type EventLog, type LogRecord } from '@logloom/event-log';
import '@logloom/runtime/testing/hold-contract';
import { createEmbeddedSchemaRegistry, createSerde } from '@logloom/schema-registry';
import { topics, type ContractName, type DeadLetter, type Link, type LogEvent } from '@logloom/schemas';
import { parseSettings } from '../settings.ts';
import { createTelemetry } from '@logloom/telemetry';
import { closedPorts, temporaryFolder } from '@logloom/testing';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startIngest } from '../run-ingest.ts';

export { temporaryFolder };

/** Returns a port that is free for TCP and UDP. */
export async function freeSyslogPort(): Promise<number> {
  for (;;) {
    const tcp = createServer().listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const { port } = tcp.address() as AddressInfo;
    const udp = createSocket('udp4');
    udp.bind(port, '127.0.0.1');
    const isFree = await once(udp, 'listening').then(
      () => true,
      () => false,
    );
    udp.close();
    await once(tcp.close(), 'close');
    if (isFree) return port;
  }
}

/** Runs the service on a free port over the embedded log in `folder`. */
export async function startForTest(folder: string, env: Record<string, string> = {}) {
  const lock = lockDataFolder(folder);
  const recovering = new SqliteEventLog(join(folder, 'log'));
  recovering.recover();
  await recovering.close();
  const stop = new AbortController();
  const telemetry = createTelemetry('ingest', 'error');
  const { address, done } = await startIngest({
    settings: parseSettings({
      LOGLOOM_DATA: folder,
      INGEST_PORT: '0',
      ...closedPorts,
      LOG_LEVEL: 'error',
      ...env,
    }),
    telemetry,
    signal: stop.signal,
    onReady: () => {},
  }).catch((error: unknown) => {
    lock[Symbol.dispose]();
    throw error;
  });
  let stopped: Promise<void> | undefined;
  const drain = (): Promise<void> => {
    stop.abort();
    return (stopped ??= done.finally(() => lock[Symbol.dispose]()));
  };
  /** Returns a metric, summed over its labels, or over those of one receiver. */
  const sumOf = async (metric: string, receiver?: string): Promise<number> => {
    const { values } = await telemetry.registry.getSingleMetric(metric)!.get();
    return values
      .filter(({ labels }) => receiver === undefined || labels['receiver'] === receiver)
      .reduce((sum, { value }) => sum + value, 0);
  };
  /** Returns how many events were accepted or rejected. */
  const countedEvents = async (receiver?: string): Promise<number> =>
    (await sumOf('logloom_ingest_events_total', receiver)) +
    (await sumOf('logloom_ingest_rejected_events_total', receiver));
  return { address, telemetry, drain, sumOf, countedEvents, [Symbol.asyncDispose]: drain };
}

/** Returns all events of a stopped service's log, in partition and offset order. */
export async function readEvents(folder: string): Promise<(LogEvent & { at: LogRecord })[]> {
  return read<LogEvent>(folder, topics.events, 'LogEvent');
}

/** Returns all links of a stopped service's log. */
export async function readLinks(folder: string): Promise<(Link & { at: LogRecord })[]> {
  return read<Link>(folder, topics.events, 'Link');
}

/** Returns all dead letters of a stopped service's log. */
export async function readDeadLetters(folder: string): Promise<(DeadLetter & { at: LogRecord })[]> {
  return read<DeadLetter>(folder, topics.deadLetter, 'DeadLetter');
}

/** Returns all records of a partition. */
async function readAll(log: EventLog, topic: string, partition: number): Promise<LogRecord[]> {
  const all: LogRecord[] = [];
  for (let next = 0; ; next = all.at(-1)!.offset + 1) {
    const records = await log.read(topic, partition, next, 10_000);
    if (records.length === 0) return all;
    all.push(...records);
  }
}

async function read<T>(
  folder: string,
  topic: string,
  name: ContractName,
): Promise<(T & { at: LogRecord })[]> {
  const serde = await createSerde(createEmbeddedSchemaRegistry());
  const log = new SqliteEventLog(join(folder, 'log'));
  const found: (T & { at: LogRecord })[] = [];
  for (let partition = 0; partition < (await log.partitionCount(topic)); partition++) {
    const records = await readAll(log, topic, partition);
    await serde.load(records.map(({ value }) => value));
    for (const record of records) {
      const decoded = serde.decode(record.value);
      if (decoded.name === name) found.push({ ...(decoded.value as unknown as T), at: record });
    }
  }
  await log.close();
  return found;
}
