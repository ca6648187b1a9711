import type { ViewerId, ViewerPage, ViewerQuery } from '../server/viewer-directory.ts';
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

/** What a supervisor asks of a worker. */
export type WorkerQuestion =
  | { name: 'metrics' }
  | { name: 'viewers'; query: ViewerQuery }
  | { name: 'end-viewer'; viewer: ViewerId }
  | { name: 'send-away'; overMs: number };

/** What it answers. */
export interface WorkerAnswers {
  metrics: WorkerMetrics;
  viewers: ViewerPage;
  'end-viewer': boolean;
  /** How many viewers are left. */
  'send-away': number;
}

export type ToWorker =
  | { type: 'start'; data: WorkerData }
  | { type: 'drain' }
  | { type: 'ask'; id: number; question: WorkerQuestion }
  /** Asks whether its event loop still runs. */
  | { type: 'ping' }
  /** Another process has appended to this topic of the embedded log. */
  | { type: 'appended'; topic: string };

export type FromWorker =
  | { type: 'ready' }
  | { type: 'pong' }
  | { type: 'answer'; id: number; answer: unknown }
  /** Reports why it ends. */
  | { type: 'failed'; reason: string };
