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

/** The calls to a thread: its metrics; for the api thread, a request, and the rest of a response that it streams. */
export type ThreadCall =
  | { name: 'metrics' }
  | { name: 'api'; request: ApiRequest }
  | { name: 'api-read'; stream: number }
  | { name: 'api-close'; stream: number };

export interface ThreadResults {
  metrics: MetricObjectWithValues<MetricValue<string>>[];
  api: ApiResponse;
  'api-read': ApiPart;
  'api-close': undefined;
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
  /** The beginning of it, if there is a stream. */
  body: string | Uint8Array;
  /** Where the rest can be read, until it is closed or all is read. */
  stream?: number;
}

/** The next part of a streamed response. */
export interface ApiPart {
  bytes: Uint8Array;
  isLast: boolean;
}
