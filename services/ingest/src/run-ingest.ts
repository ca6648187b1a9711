import { checkIngestExposure, RequestGuard } from '@logloom/auth';
import { SqliteEventLog } from '@logloom/event-log';
import {
  connectLog,
  createGapReport,
  StorageWatch,
  type LogConnection,
  type RunService,
  type ServiceContext,
} from '@logloom/runtime';
import { topics } from '@logloom/schemas';
import { memoryBudget, type Settings } from '@logloom/settings';
import { SecurityLog } from '@logloom/telemetry';
import type { FastifyInstance } from 'fastify';
import { once } from 'node:events';
import { createAddressQuotas } from './quotas/address-limits.ts';
import { atMostEvery } from './admission/at-most-every.ts';
import type { DoorState, RequestLimits } from './http/receive-request.ts';
import { createHttpDoor } from './http/http-server.ts';
import { Intake } from './pipeline/pipeline.ts';
import { KeyGuard } from './admission/key-guard.ts';
import { limitConnections } from './admission/limit-connections.ts';
import { Normalizer } from './event/normalize.ts';
import { ProducerTable } from './producers/producer-table.ts';
import { runRawDoor } from './raw/raw-receiver.ts';
import { PendingBytes } from './http/read-body.ts';
import { createServiceQuotas } from './quotas/service-quotas.ts';
import { openSyslogDoor, type SyslogDoor } from './syslog/syslog-receiver.ts';
import { createRedactor } from './redact/redactor.ts';
import {
  createKeyMetrics,
  createMetrics,
  createProducersGauge,
  createQuotaCounter,
  createRedactionCounter,
  createSyslogStats,
} from './telemetry.ts';

/** A request that is still sending this long after the signal is cut off; it has had no answer, so nothing of it was promised. */
const drainMs = 20_000;

export interface RunningIngest {
  /** Where applications send to, e.g. http://127.0.0.1:4318. */
  address: string;
  /** Resolves when drained; rejects when the service cannot go on. */
  done: Promise<void>;
}

/** Takes in events over HTTP, syslog and from logs.raw until the signal aborts. */
export const runIngest: RunService = async (context) => (await startIngest(context)).done;

/** Starts the service; resolves when it takes work. INGEST_PORT 0 takes any free port. */
export async function startIngest(context: ServiceContext): Promise<RunningIngest> {
  const { settings, telemetry, signal, checks } = context;
  checkIngestExposure(settings);
  const { logger, tracing } = telemetry;
  const { pendingBytes, ...limits } = requestLimits(settings);
  const pending = new PendingBytes(pendingBytes);
  const metrics = createMetrics(telemetry, () => pending.bytes);
  const state: DoorState = { phase: 'starting', intake: undefined };
  const tellOverQuota = atMostEvery(60_000, (count, name: string, door: string) =>
    logger.warn({ name, door, count }, 'senders are refused or held up: a service is over its quota'),
  );
  const refusals = createQuotaCounter(telemetry);
  const addresses = createAddressQuotas(settings, () => refusals.inc({ by: 'address', door: 'http' }));
  const guard = await createGuard(context);
  const app = createHttpDoor({
    settings: { ...settings, ...limits },
    state,
    pending,
    metrics,
    logger,
    tracing,
    requests: {
      guard: RequestGuard.of(settings, { forViewers: false }),
      security: new SecurityLog(telemetry),
    },
    guard,
    addresses,
  });
  limitConnections(app.server, settings, telemetry);
  const address = await app.listen({ host: settings.HOST, port: settings.INGEST_PORT });
  let connection: LogConnection | undefined;
  try {
    const opened = (connection = await connectLog(settings, {}, telemetry));
    const { log, serde } = opened;
    const redactions = createRedactionCounter(telemetry);
    const storage = log instanceof SqliteEventLog ? watchedStorage(settings, log) : undefined;
    const intake = new Intake({
      recordSenders: settings.INGEST_RECORD_SENDERS,
      onFailure: (error) => storage?.report(error),
      services: createServiceQuotas(settings, (service, door) => {
        refusals.inc({ by: 'service', door });
        tellOverQuota(service, door);
      }),
      redactor: createRedactor(settings, (rule) => redactions.inc({ rule })),
      log,
      epoch: await log.epochOf(topics.events),
      serde,
      normalizer: new Normalizer(settings.INGEST_ID_PATTERNS),
      partitions: await log.partitionCount(topics.events),
      deadLetterPartitions: await log.partitionCount(topics.deadLetter),
      metrics,
      logger,
      tracing,
    });
    const syslog =
      settings.SYSLOG_PORT === 0
        ? undefined
        : await openSyslogDoor({
            settings,
            intake,
            addresses,
            logger,
            pending,
            stats: createSyslogStats(telemetry),
          });
    state.intake = intake;
    state.storage = storage;
    const producers = new ProducerTable({
      log,
      serde,
      partitions: await log.partitionCount(topics.events),
      isShared: settings.KAFKA_BROKERS !== undefined,
    });
    createProducersGauge(telemetry, () => producers.size);
    state.producers = producers;
    state.problem = opened.problem;
    checks?.add(opened.problem);
    state.phase = 'ready';

    // Either side's end ends the other: half a service would look alive.
    const stop = new AbortController();
    const ending = AbortSignal.any([signal, stop.signal]);
    const maxEventBytes = settings.INGEST_MAX_EVENT_BYTES;
    const raw = runRawDoor(
      { log, serde, intake, maxEventBytes, keys: guard, logger, gaps: createGapReport(telemetry) },
      ending,
    ).finally(() => stop.abort());
    const drained = [drain(app, state, ending), drainSyslog(syslog, ending)];
    const done = Promise.allSettled([raw, ...drained]).then(async (results) => {
      await opened[Symbol.asyncDispose]();
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    });
    context.onReady();
    void storage?.run(ending, (trouble) => {
      if (trouble === undefined) {
        logger.info('there is room again');
        context.onReady();
      } else {
        logger.error(trouble, 'nothing can be stored: senders are refused until there is room');
        context.onNotReady?.(trouble);
      }
    });
    return { address, done };
  } catch (error) {
    await app.close();
    await connection?.[Symbol.asyncDispose]();
    throw error;
  }
}

/** What was trimmed from the log can be filled again. */
function watchedStorage(settings: Settings, log: SqliteEventLog): StorageWatch {
  return new StorageWatch(settings.LOGLOOM_DATA, () => log.reusableBytes(topics.events));
}

/** The limits on requests as they are set; else they follow the memory that there is. */
export function requestLimits({
  INGEST_MAX_PENDING_BYTES: pending,
  INGEST_MAX_BODY_BYTES: body,
  INGEST_MAX_REQUEST_EVENTS,
}: Settings): RequestLimits & { pendingBytes: number } {
  const pendingBytes = pending ?? memoryBudget(1 / 4, 512 * 2 ** 20);
  const bodyBytes = body ?? Math.min(128 * 2 ** 20, Math.floor(pendingBytes / 2));
  return { pendingBytes, INGEST_MAX_BODY_BYTES: bodyBytes, INGEST_MAX_REQUEST_EVENTS };
}

async function createGuard({ settings, telemetry }: ServiceContext): Promise<KeyGuard | undefined> {
  if (settings.INGEST_KEYS === undefined) return undefined;
  // Loaded only where there are keys: it would add to every start.
  const { IngestKeys } = await import('@logloom/auth/ingest-keys');
  const quota = {
    eventsPerSecond: settings.INGEST_KEY_EVENTS_PER_SECOND,
    bytesPerSecond: settings.INGEST_KEY_BYTES_PER_SECOND,
    burstSeconds: 2,
  };
  return new KeyGuard(new IngestKeys(settings.INGEST_KEYS), quota, createKeyMetrics(telemetry));
}

/** When the signal aborts: refuses new requests, finishes those in work, closes. */
async function drain(app: FastifyInstance, state: DoorState, signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
  state.phase = 'draining';
  const cut = setTimeout(() => app.server.closeAllConnections(), drainMs);
  await app.close();
  clearTimeout(cut);
}

async function drainSyslog(syslog: SyslogDoor | undefined, signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
  await syslog?.stop();
}
