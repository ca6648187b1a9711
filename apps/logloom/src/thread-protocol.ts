import type { Trouble } from '@logloom/runtime';
import type { Settings } from './settings.ts';
import type { MetricObjectWithValues, MetricValue, TracingSettings } from '@logloom/telemetry';

/** What a service thread is started with. */
export interface ThreadData {
  service: ThreadService;
  settings: Settings;
  /** Undefined: no spans. */
  tracing: TracingSettings | undefined;
}

export type ThreadService = 'ingest' | 'correlator' | 'indexer' | 'api';

export type ToThread =
  | { type: 'stop' }
  /** Nobody waits for this call any more. */
  | { type: 'cancel'; id: number }
  | { type: 'call'; id: number; call: ThreadCall };

export type FromThread =
  | { type: 'ready' }
  | { type: 'not-ready'; trouble: Trouble | undefined }
  | { type: 'result'; id: number; result: unknown }
  | { type: 'error'; id: number; message: string };

/** What can be asked of a thread: its metrics; of the api thread, to answer a request. */
export type ThreadCall = { name: 'metrics' } | { name: 'api'; request: ApiRequest };

export interface ThreadResults {
  metrics: MetricObjectWithValues<MetricValue<string>>[];
  api: ApiResponse;
}

export interface ApiRequest {
  method: string;
  url: string;
  authorization?: string | undefined;
  /** Who asks: the address of the client. */
  address?: string | undefined;
  /** JSON. */
  body?: string | undefined;
  /** Not 0 once nobody waits for the answer; shared, since a query of SQLite reads no messages until its end. */
  cancelled: Int32Array;
}

export interface ApiResponse {
  status: number;
  headers: Record<string, string>;
  body: string;
}
