import type { Settings } from '../settings.ts';
import type { MetricObjectWithValues, MetricValue, TracingSettings } from '@logloom/telemetry';

/** The start message of a worker process. */
export interface WorkerData {
  /** The name in its own log and metrics. */
  service: string;
  /** With LIVE_PORT as all workers share it. */
  settings: Settings;
  /** Undefined: no spans. */
  tracing: TracingSettings | undefined;
  isOneOfMany: boolean;
  /** The socket of the supervisor's own server: everything on the shared port that is not a viewer is answered there. */
  supervisorSocket: string;
}

export type WorkerMetrics = MetricObjectWithValues<MetricValue<string>>[];

export type ToWorker =
  | { type: 'start'; data: WorkerData }
  | { type: 'drain' }
  | { type: 'metrics'; id: number }
  /** Asks whether its event loop still runs. */
  | { type: 'ping' }
  /** Another process has appended to this topic of the embedded log. */
  | { type: 'appended'; topic: string };

export type FromWorker =
  | { type: 'ready' }
  | { type: 'pong' }
  | { type: 'metrics'; id: number; metrics: WorkerMetrics }
  /** Reports why it ends. */
  | { type: 'failed'; reason: string };
