import type { Trouble } from '@logloom/runtime';
import type { Settings } from '../settings.ts';
import type { MetricObjectWithValues, MetricValue, TracingSettings } from '@logloom/telemetry';

/** The start message of a service thread. */
export interface ThreadData {
  service: ThreadService;
  settings: Settings;
  /** Undefined: no spans. */
  tracing: TracingSettings | undefined;
  /** The process's variables, for the service whose files name some of them. */
  env?: Readonly<Record<string, string | undefined>>;
}

export type ThreadService = 'ingest' | 'correlator' | 'indexer' | 'api' | 'canary';

export type ToThread =
  | { type: 'stop' }
  /** The caller no longer waits for this call. */
  | { type: 'cancel'; id: number }
  | { type: 'call'; id: number; call: ThreadCall };

export type FromThread =
  | { type: 'ready' }
  | { type: 'not-ready'; trouble: Trouble | undefined }
  | { type: 'result'; id: number; result: unknown }
  | { type: 'error'; id: number; message: string };

/** The calls to a thread: its metrics; for the api thread, a request. */
export type ThreadCall = { name: 'metrics' } | { name: 'api'; request: ApiRequest };

export interface ThreadResults {
  metrics: MetricObjectWithValues<MetricValue<string>>[];
  api: ApiResponse;
}

export interface ApiRequest {
  method: string;
  url: string;
  authorization?: string | undefined;
  /** The address of the client. */
  address?: string | undefined;
  /** JSON. */
  body?: string | undefined;
  /** Not 0 once the caller no longer waits; shared memory, because a query of SQLite blocks messages until its end. */
  cancelled: Int32Array;
}

export interface ApiResponse {
  /** Its path with parameters by name; undefined where there is no such route. */
  route: string | undefined;
  status: number;
  headers: Record<string, string>;
  body: string;
}
