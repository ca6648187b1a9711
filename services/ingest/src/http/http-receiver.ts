import { errorBody } from '@logloom/errors';
import type { Trouble } from '@logloom/runtime';
import type { Settings } from '../settings.ts';
import type { Telemetry } from '@logloom/telemetry';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { KeyGuard } from '../admission/key-guard.ts';
import type { MemoryBudget } from '../admission/memory-budget.ts';
import type { RequestLimits } from '../admission/request-limits.ts';
import type { IngestError } from '../errors.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { ProducerTable } from '../producers/producer-table.ts';
import type { Producer } from '../producers/producer.ts';
import type { AddressQuotas } from '../quotas/address-limits.ts';
import type { IngestMetrics } from '../telemetry.ts';

/** A protocol over HTTP: one folder beside this file, and one line in receivers.ts. */
export interface HttpReceiver {
  /** Its name in INGEST_HTTP_RECEIVERS. */
  name: string;
  /** Its paths without parameters, each with its methods as the header `Allow` lists them. */
  paths: Readonly<Record<string, string>>;
  /** Those of its paths that need no key, because they neither take nor show an event. */
  openPaths?: readonly string[];
  /** Adds its routes. `app` is a scope of its own: hooks do not reach other receivers. */
  register: (app: FastifyInstance, context: HttpReceiverContext) => void;
  /** Words the response to a request that failed as a whole. */
  sendError: SendError;
}

export type SendError = (error: IngestError, reply: FastifyReply) => FastifyReply;

/** The shape of errors where no protocol has one of its own. */
export const sendJsonError: SendError = (error, reply) => reply.send(errorBody(error));

/** The state of the service that the HTTP server shows and works with. */
export interface ServerState {
  phase: 'starting' | 'ready' | 'draining';
  /** Set from 'ready' on. */
  pipeline: Pipeline | undefined;
  /** `trouble` is set while nothing can be stored. */
  storage?: { readonly trouble: Trouble | undefined } | undefined;
  producers?: ProducerTable;
  /** Returns why the log cannot accept records at present; undefined if it can, or if that is unknown. */
  problem?: () => string | undefined;
}

/** What all receivers over HTTP share. */
export interface HttpReceiverContext {
  settings: Pick<Settings, 'INGEST_LOADTEST' | 'INGEST_MAX_EVENT_BYTES' | 'INGEST_REQUEST_MS'> &
    RequestLimits;
  state: ServerState;
  memory: MemoryBudget;
  metrics: IngestMetrics;
  logger: Telemetry['logger'];
  tracing: Telemetry['tracing'];
  /** Unset: whoever reaches the port may send. */
  guard?: KeyGuard | undefined;
  /** Unset: no address has a quota. */
  addresses?: AddressQuotas | undefined;
  /** Numbers the events of clients that do not number theirs. */
  ownProducer: Producer;
  /** The first segments of all paths of the server: no index or stream can have such a name. */
  reservedNames: ReadonlySet<string>;
}
