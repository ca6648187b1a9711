import { checkIngestExposure, RequestGuard } from '@logloom/auth';
import { SqliteEventLog } from '@logloom/event-log';
import {
  connectLog,
  observeDisk,
  settledBefore,
  StorageWatch,
  type LogConnection,
  type RunService,
  type ServiceContext,
} from '@logloom/runtime';
import { topics } from '@logloom/schemas';
import type { Settings } from './settings.ts';
import { SecurityLog } from '@logloom/telemetry';
import { createKeyGuard } from './admission/key-guard.ts';
import { createConnectionLimits } from './admission/limit-connections.ts';
import { MemoryBudget } from './admission/memory-budget.ts';
import { requestLimits } from './admission/request-limits.ts';
import type { ServerState } from './http/http-receiver.ts';
import { createHttpServer, drainHttpServer } from './http/http-server.ts';
import { createPipeline } from './pipeline/create-pipeline.ts';
import type { ReceiverContext, RunReceiver } from './pipeline/receiver.ts';
import { ProducerTable } from './producers/producer-table.ts';
import { createAddressQuotas } from './quotas/address-limits.ts';
import { httpReceivers, receivers } from './receivers.ts';
import { createMetrics, createStreamMetrics, partMetrics } from './telemetry.ts';

export interface RunningIngest {
  /** Where applications send to, e.g. http://127.0.0.1:4318. */
  address: string;
  /** Resolves when drained; rejects when the service cannot continue. */
  done: Promise<void>;
}

/** Receives events over HTTP, syslog and from logs.raw until the signal aborts. */
export const runIngest: RunService<Settings> = async (context) => (await startIngest(context)).done;

/** Starts the service. Resolves when it accepts events. INGEST_PORT 0 takes any free port. */
export async function startIngest(context: ServiceContext<Settings>): Promise<RunningIngest> {
  const { settings, telemetry, signal, checks } = context;
  checkIngestExposure(settings);
  const { logger, tracing } = telemetry;
  const { pendingBytes, ...limits } = requestLimits(settings);
  const memory = new MemoryBudget(pendingBytes);
  const metrics = createMetrics(telemetry, memory);
  const state: ServerState = { phase: 'starting', pipeline: undefined };
  const refusals = partMetrics.quotaRefusals.create(telemetry.registry);
  const addresses = createAddressQuotas(settings, () => refusals.inc({ by: 'address', receiver: 'http' }));
  const guard = await createKeyGuard(settings, telemetry);
  const http = {
    settings: { ...settings, ...limits },
    state,
    memory,
    metrics,
    logger,
    tracing,
    requests: {
      guard: RequestGuard.of(settings, { forViewers: false }),
      security: new SecurityLog(telemetry),
    },
    guard,
    addresses,
  };
  const taken = settings.INGEST_HTTP_RECEIVERS;
  const app = createHttpServer({
    ...http,
    receivers: httpReceivers.filter(({ name }) => taken.length === 0 || taken.includes(name)),
  });
  const connections = createConnectionLimits(settings, telemetry);
  connections.http(app.server);
  // It listens before the log is connected, and refuses events until then.
  const address = await app.listen({ host: settings.HOST, port: settings.INGEST_PORT });
  let connection: LogConnection | undefined;
  try {
    const opened = (connection = await connectLog(settings, {}, telemetry, signal));
    const { log, serde } = opened;
    const storage = log instanceof SqliteEventLog ? watchedStorage(settings, log) : undefined;
    if (storage !== undefined) observeDisk(telemetry, spaceOf(settings));
    const onFailure = (error: unknown): void => storage?.report(error);
    const pipeline = await createPipeline({ settings, telemetry, metrics, refusals, log, serde, onFailure });
    partMetrics.queuedRecords.observe(telemetry.registry, (set) => set(pipeline.queuedRecords));
    const isShared = settings.KAFKA_BROKERS !== undefined;
    const producers = new ProducerTable({
      log,
      serde,
      partitions: await log.partitionCount(topics.events),
      isShared,
    });
    const filled = producers.fill().catch(() => {});
    // In a deploy, senders stay with another instance until this one is ready; a single process has no other.
    if (isShared) await settledBefore(filled, signal);
    partMetrics.producers.observe(telemetry.registry, (set) => set(producers.size));
    const running = await openReceivers({
      settings,
      log,
      serde,
      pipeline,
      keys: guard,
      addresses,
      memory,
      telemetry,
      http,
      connections,
      streams: createStreamMetrics(telemetry),
    });
    Object.assign(state, { pipeline, storage, producers, problem: opened.problem });
    checks?.add(opened.problem);
    state.phase = 'ready';

    // The end of one receiver ends the others: half a service would look alive.
    const stop = new AbortController();
    const ending = AbortSignal.any([signal, stop.signal]);
    const ends = running.map((run) => run(ending).finally(() => stop.abort()));
    const done = Promise.allSettled([...ends, drainHttpServer(app, state, ending)]).then(async (results) => {
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

/** Opens the receivers one after another. When one cannot be opened, those before it are closed. */
async function openReceivers(context: ReceiverContext): Promise<RunReceiver[]> {
  const running: RunReceiver[] = [];
  try {
    for (const receiver of receivers) {
      const run = await receiver(context);
      if (run !== undefined) running.push(run);
    }
    return running;
  } catch (error) {
    await Promise.allSettled(running.map((run) => run(AbortSignal.abort())));
    throw error;
  }
}

/** Space of trimmed records of logs.events counts as free: the log fills it again. */
function watchedStorage(settings: Settings, log: SqliteEventLog): StorageWatch {
  return new StorageWatch({
    ...spaceOf(settings),
    reusableBytes: () => log.reusableBytes(topics.events),
  });
}

function spaceOf({ LOGLOOM_DATA: folder, DISK_RESERVE_BYTES: reserveBytes }: Settings) {
  return { folder, reserveBytes };
}
