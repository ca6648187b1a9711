import type { HealthCheck } from './register-health.ts';
import type { ServiceSettings } from './settings.ts';
import type { Trouble } from './storage-watch.ts';
import type { Telemetry, TracingSettings } from '@logloom/telemetry';

/** What a service is run with, on its own or in the one-process mode. */
export interface ServiceContext<Settings extends ServiceSettings = ServiceSettings> {
  settings: Settings;
  telemetry: Telemetry;
  /** What `telemetry.tracing` was started with, for processes that the service starts. */
  tracingSettings?: TracingSettings | undefined;
  /** Aborts when the service is to drain and stop. */
  signal: AbortSignal;
  /** Called when the service takes work: once, or again after onNotReady(). */
  onReady: () => void;
  /** Called when the service takes no work for a while, though it does not stop; `trouble` says why, where it is the disk. */
  onNotReady?: (trouble?: Trouble) => void;
  /** The service adds what may keep it from its work, for its readiness. */
  checks?: Set<HealthCheck>;
}

/** Runs until the signal aborts and everything is drained; rejects when it cannot go on. */
export type RunService<Settings extends ServiceSettings = ServiceSettings> = (
  context: ServiceContext<Settings>,
) => Promise<void>;
