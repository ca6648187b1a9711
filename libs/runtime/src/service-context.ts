import type { HealthCheck } from './register-health.ts';
import type { ServiceSettings } from './settings.ts';
import type { Trouble } from './space/storage-watch.ts';
import type { Telemetry, TracingSettings } from '@logloom/telemetry';

/** What a service is run with, on its own or in the one-process mode. */
export interface ServiceContext<Settings extends ServiceSettings = ServiceSettings> {
  settings: Settings;
  telemetry: Telemetry;
  /** What `telemetry.tracing` was started with, for processes that the service starts. */
  tracingSettings?: TracingSettings | undefined;
  /** The process's variables, for files that name some of them. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Aborts when the service has to drain and stop. */
  signal: AbortSignal;
  /** Called when the service accepts work: once, and again after onNotReady(). */
  onReady: () => void;
  /** Called when the service stops accepting work for a while without stopping; `trouble` is the reason, if it is the disk. */
  onNotReady?: (trouble?: Trouble) => void;
  /** The service registers checks for its readiness here. */
  checks?: Set<HealthCheck>;
}

/** Runs until the signal aborts and everything is drained; rejects when it cannot continue. */
export type RunService<Settings extends ServiceSettings = ServiceSettings> = (
  context: ServiceContext<Settings>,
) => Promise<void>;
