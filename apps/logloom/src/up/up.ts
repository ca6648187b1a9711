import { checkExposure, checkIngestExposure, openAuthenticate } from '@logloom/auth';
import { EventLogError, lockDataFolder, SqliteEventLog } from '@logloom/event-log';
import { loadEnvironment, secretsOf, SettingsError } from '@logloom/settings';
import type { Settings } from '../settings.ts';
import { openingTrouble } from '@logloom/sqlite/storage-trouble';
import {
  addProcessMetrics,
  createTelemetry,
  readTracingSettings,
  registerCertificateExpiry,
  startTracing,
} from '@logloom/telemetry';
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { endAnyway, keepDataPrivate, type Health, type Trouble } from '@logloom/runtime';
import { BackupError } from '../backup/errors.ts';
import { whyNotUsable } from '../backup/manifest.ts';
import { ServiceThread } from './service-thread.ts';
import { settleSyslogPort } from './settle-syslog-port.ts';

/** The addresses of a running Logloom. */
export interface Addresses {
  ingest: string;
  /** Host and port; undefined: switched off. */
  syslog: string | undefined;
  viewers: string;
  dataFolder: string;
}

/**
 * The whole pipeline in this process: ingest, correlator, indexer and the search API on a thread each, the viewers' server with the live
 * tier on this one. They communicate only through the log. Resolves when everything is drained after `signal`; rejects when a part cannot
 * continue. Parts that do not drain within 20 s plus LIVE_DRAIN_MS end with the process. `env` has the OTEL_ variables.
 */
export async function up(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  onReady: (addresses: Addresses) => void,
): Promise<void> {
  try {
    await runAll(settings, env, signal, onReady);
  } catch (error) {
    throw storageProblem(error, settings) ?? error;
  }
}

/** A one-line error for a start on a disk that is full or not writable. */
function storageProblem(error: unknown, { LOGLOOM_DATA: folder }: Settings): EventLogError | undefined {
  const trouble = openingTrouble(error, join(folder, 'log'));
  if (trouble === undefined) return undefined;
  const text = {
    'disk-full': 'the disk is full; make room there, or set LOGLOOM_DATA to another folder',
    'read-only':
      'the folder is not writable; give this user the permission, or set LOGLOOM_DATA to another folder',
  }[trouble];
  return new EventLogError(trouble, `LOGLOOM_DATA=${folder}: ${text} (${(error as Error).message})`, {
    cause: error,
  });
}

async function runAll(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  onReady: (addresses: Addresses) => void,
): Promise<void> {
  // Checked here, so that a wrong file stops the start; on its own thread it would only be retried.
  if (settings.CORRELATION_RULES !== undefined) {
    const { formatProblem } = await import('@logloom/rules');
    const { loadRules } = await import('@logloom/rules/rules-file');
    const loaded = loadRules(settings.CORRELATION_RULES);
    if (!loaded.ok)
      throw new SettingsError(loaded.problems.map((p) => formatProblem(settings.CORRELATION_RULES!, p)));
  }
  if (settings.RECEIVERS !== undefined) {
    const { formatReceiversProblem, loadReceivers } = await import('@logloom/notify/receivers-file');
    const loaded = loadReceivers(settings.RECEIVERS, loadEnvironment(env));
    if (!loaded.ok)
      throw new SettingsError(loaded.problems.map((p) => formatReceiversProblem(settings.RECEIVERS!, p)));
  }
  if (settings.CANARY === 'on') {
    settings = { ...settings, CANARY_SECRET: settings.CANARY_SECRET ?? randomBytes(32).toString('hex') };
  }
  checkExposure(settings);
  checkIngestExposure(settings);
  if (settings.INGEST_KEYS !== undefined) {
    const { IngestKeys } = await import('@logloom/auth/ingest-keys');
    new IngestKeys(settings.INGEST_KEYS);
  }
  await openAuthenticate(settings);
  await using owned = new AsyncDisposableStack();
  owned.use(lockDataFolder(settings.LOGLOOM_DATA));
  const unusable = whyNotUsable(settings.LOGLOOM_DATA);
  if (unusable !== undefined) throw new BackupError('data-not-restored', unusable);
  const readable = keepDataPrivate(settings.LOGLOOM_DATA, ['log', 'stores', 'jobs', 'canary', 'loadtest']);
  const telemetry = createTelemetry('logloom', settings.LOG_LEVEL, secretsOf(settings));
  const log = owned.use(
    SqliteEventLog.own(join(settings.LOGLOOM_DATA, 'log'), ({ message, error }) =>
      telemetry.logger.error({ err: error }, message),
    ),
  );
  if (readable.length > 0)
    telemetry.logger.warn(
      { files: readable.slice(0, 10) },
      'other users may be able to read the data: its files belong to another user',
    );
  settings = await settleSyslogPort(settings, telemetry.logger);
  addProcessMetrics(telemetry);
  registerCertificateExpiry(telemetry, settings);
  const tracing = readTracingSettings(loadEnvironment(env));
  await startTracing(telemetry, tracing, {
    service: 'fanout',
    isOneOfMany: true,
    kafka: settings.KAFKA_BROKERS !== undefined,
  });
  owned.defer(() => telemetry.tracing.stop());
  const health: Health = {
    ready: false,
    problems: log.damaged.map((file) => `${file} cannot be read: restore it from a backup, or move it away`),
  };
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);

  const services = (['ingest', 'correlator', 'indexer'] as const).map(
    (service) =>
      new ServiceThread(
        {
          service,
          settings,
          tracing: tracing.settings,
          ...(service === 'indexer' && { env: { ...loadEnvironment(env) } }),
        },
        telemetry.logger,
      ),
  );
  // They make no spans. They start once the others are ready; calls to them wait until then.
  const apis = Array.from(
    { length: settings.API_THREADS },
    () => new ServiceThread({ service: 'api', settings, tracing: undefined }, telemetry.logger),
  );
  const canaries =
    settings.CANARY === 'off'
      ? []
      : [new ServiceThread({ service: 'canary', settings, tracing: undefined }, telemetry.logger)];
  const apiMayStart = Promise.withResolvers<void>();
  // It is ready when every other part has been ready: then a new user's first request works.
  const waiting = new Set<string>(['live', ...services.map(({ service }) => service)]);
  let wasReady = false;
  const partReady = (part: string): void => {
    waiting.delete(part);
    // The live tier may be waiting for a file of the log; the other parts respond meanwhile.
    if (log.damaged.length > 0 && waiting.size <= 1) apiMayStart.resolve();
    if (waiting.size > 0 || health.ready || stop.aborted) return;
    health.ready = true;
    health.trouble = undefined;
    if (wasReady) return;
    wasReady = true;
    apiMayStart.resolve();
    onReady({
      ingest: `http://${settings.HOST}:${settings.INGEST_PORT}`,
      syslog: settings.SYSLOG_PORT === 0 ? undefined : `${settings.HOST}:${settings.SYSLOG_PORT}`,
      viewers: `http://${settings.HOST}:${settings.LIVE_PORT}`,
      dataFolder: resolve(settings.LOGLOOM_DATA),
    });
  };
  const partNotReady = (part: string, trouble?: Trouble): void => {
    waiting.add(part);
    health.ready = false;
    health.trouble = trouble;
  };
  const onStop = (): void => {
    health.ready = false;
    // An exit would wait for threads, and one may wait for an engine.
    endAnyway('up', settings.LIVE_DRAIN_MS, () => process.kill(process.pid, 'SIGKILL'));
    for (const service of [...services, ...apis, ...canaries]) service.stop();
    apiMayStart.resolve();
  };
  if (stop.aborted) onStop();
  else stop.addEventListener('abort', onStop);

  const parts = [
    ...services.map((service) =>
      service.run(
        () => partReady(service.service),
        (trouble) => partNotReady(service.service, trouble),
      ),
    ),
    ...[...apis, ...canaries].map((api) =>
      apiMayStart.promise.then(() => (stop.aborted ? undefined : api.run(() => {}, undefined, true))),
    ),
    // Loaded only now: meanwhile the threads are starting.
    import('./run-viewers.ts').then(({ runViewers }) =>
      runViewers({
        settings,
        telemetry,
        tracingSettings: tracing.settings,
        health,
        services: [...services, ...canaries],
        apis,
        signal: stop,
        onReady: () => partReady('live'),
      }),
    ),
  ];
  for (const part of parts) part.catch(() => failed.abort());
  for (const result of await Promise.allSettled(parts)) if (result.status === 'rejected') throw result.reason;
}
