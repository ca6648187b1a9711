import type { Settings } from '@logloom/settings';
import type { Telemetry } from '@logloom/telemetry';

/** What a service is run with, on its own or in the one-process mode. */
export interface ServiceContext {
  settings: Settings;
  telemetry: Telemetry;
  /** Aborts when the service is to drain and stop. */
  signal: AbortSignal;
  /** Called once, when the service takes work. */
  onReady: () => void;
}

/** Runs until the signal aborts and everything is drained; rejects when it cannot go on. */
export type RunService = (context: ServiceContext) => Promise<void>;
