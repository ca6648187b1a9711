import type { EventLog } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import type { Settings } from '../settings.ts';
import type { Telemetry } from '@logloom/telemetry';
import type { KeyGuard } from '../admission/key-guard.ts';
import type { MemoryBudget } from '../admission/memory-budget.ts';
import type { AddressQuotas } from '../quotas/address-limits.ts';
import type { HttpServerOptions } from '../http/http-server.ts';
import type { ConnectionLimits } from '../admission/limit-connections.ts';
import type { StreamStats } from '../telemetry.ts';
import type { Pipeline } from './pipeline.ts';

/** What receivers that are not under the HTTP port share. */
export interface ReceiverContext {
  settings: Settings;
  log: EventLog;
  serde: Serde;
  pipeline: Pipeline;
  /** Unset: keys are not required. */
  keys: KeyGuard | undefined;
  /** Unset: no address has a quota. */
  addresses: AddressQuotas | undefined;
  memory: MemoryBudget;
  telemetry: Telemetry;
  /** What further servers have in common with the one for HTTP. */
  http: Omit<HttpServerOptions, 'receivers'>;
  connections: ConnectionLimits;
  /** Makes the counts of a receiver of streams. */
  streams: (receiver: string) => StreamStats;
}

/** Receives until the signal aborts. Resolves when everything received is durable; rejects when the receiver cannot continue. */
export type RunReceiver = (signal: AbortSignal) => Promise<void>;

/**
 * Opens a way for events to come in: one folder, and one line in receivers.ts. Resolves to undefined where the settings turn it off;
 * rejects with IngestError `port-taken` when it cannot be opened.
 */
export type Receiver = (context: ReceiverContext) => Promise<RunReceiver | undefined>;
