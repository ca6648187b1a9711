import { openCanarySeal } from '@logloom/auth';
import type { LogConnection } from '@logloom/runtime';
import { topics } from '@logloom/schemas';
import { SettingsError } from '@logloom/settings';
import type { Settings } from '../settings.ts';
import type { Counter, Telemetry } from '@logloom/telemetry';
import { atMostEvery } from '../admission/at-most-every.ts';
import { Normalizer } from '../event/normalize.ts';
import { zoneNamed } from '../event/read-time-zone.ts';
import { createServiceQuotas } from '../quotas/service-quotas.ts';
import { createRedactor } from '../redact/redactor.ts';
import { formatProblems, loadFormats } from '../text/formats/load-formats.ts';
import type { UserFormats } from '../text/formats/user-formats.ts';
import { partMetrics, type IngestMetrics } from '../telemetry.ts';
import { EventLinks } from './link-events.ts';
import { Pipeline } from './pipeline.ts';

const warnMs = 60_000;

export interface CreatePipelineOptions extends Pick<LogConnection, 'log' | 'serde'> {
  settings: Settings;
  telemetry: Telemetry;
  metrics: IngestMetrics;
  /** Counts what was over a quota. */
  refusals: Counter<'by' | 'receiver'>;
  /** Called with the error of each append that failed. */
  onFailure: (error: unknown) => void;
}

/** Returns the pipeline as the settings describe it. Rejects with the log's error. */
export async function createPipeline(options: CreatePipelineOptions): Promise<Pipeline> {
  const { settings, telemetry, metrics, refusals, log, serde, onFailure } = options;
  const { logger, tracing } = telemetry;
  const warn = atMostEvery(warnMs, (count, name: string, receiver: string) =>
    logger.warn({ name, receiver, count }, 'senders are refused or held up: a service is over its quota'),
  );
  const redactions = partMetrics.redactions.create(telemetry.registry);
  const partitions = await log.partitionCount(topics.events);
  const { CORRELATION_ID_ORDER: order, CORRELATION_JOINS: joins } = settings;
  return new Pipeline({
    log,
    serde,
    metrics,
    logger,
    tracing,
    onFailure,
    epoch: await log.epochOf(topics.events),
    partitions,
    links: joins.size < 2 ? undefined : new EventLinks({ order, joins }, serde, partitions),
    deadLetterPartitions: await log.partitionCount(topics.deadLetter),
    normalizer: new Normalizer(settings.INGEST_ID_PATTERNS, {
      idOrder: order,
      names: settings.INGEST_FIELD_NAMES,
      zone: zoneNamed(settings.INGEST_TIME_ZONE),
      formats: userFormats(settings.FORMATS),
    }),
    redactor: createRedactor(settings, (rule) => redactions.inc({ rule })),
    canary: openCanarySeal(settings),
    services: createServiceQuotas(settings, (service, receiver) => {
      refusals.inc({ by: 'service', receiver });
      warn(service, receiver);
    }),
    recordSenders: settings.INGEST_RECORD_SENDERS,
  });
}

/** The formats of the file. Throws SettingsError with every problem of it. */
function userFormats(path: string | undefined): UserFormats | undefined {
  if (path === undefined) return undefined;
  const loaded = loadFormats(path);
  if (loaded.ok) return loaded.formats;
  throw new SettingsError(formatProblems(path, loaded).map((problem) => `FORMATS: ${problem}`));
}
