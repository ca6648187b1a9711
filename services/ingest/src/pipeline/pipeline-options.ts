import type { CanarySeal } from '@logloom/auth';
import type { EventLog } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import type { Telemetry, Tracing } from '@logloom/telemetry';
import type { Normalizer } from '../event/normalize.ts';
import type { ServiceQuotas } from '../quotas/service-quotas.ts';
import type { Redactor } from '../redact/redactor.ts';
import type { EventLinks } from './link-events.ts';
import type { IngestMetrics } from '../telemetry.ts';

/** What the pipeline and its batches work with. */
export interface PipelineOptions {
  log: EventLog;
  /** The epoch of logs.events, for the ids of its events. */
  epoch: string;
  serde: Serde;
  normalizer: Normalizer;
  /** The number of partitions of logs.events. */
  partitions: number;
  /** The number of partitions of logs.dead-letter. */
  deadLetterPartitions: number;
  metrics: IngestMetrics;
  logger: Telemetry['logger'];
  tracing: Tracing;
  /** Called with the error of each append that failed. */
  onFailure?: (error: unknown) => void;
  /** Unset: nothing is redacted. */
  redactor?: Redactor | undefined;
  /** Joins the ids of an event; unset: none. */
  links?: EventLinks | undefined;
  /** Knows the events of the canary; unset: there is none. */
  canary?: CanarySeal | undefined;
  /** Unset: no service has a quota. */
  services?: ServiceQuotas | undefined;
  /** Whether the headers of an event's record name its sender. */
  recordSenders?: boolean | undefined;
}
