import type { Principal } from '@logloom/auth';
import type { FastifyInstance } from 'fastify';
import type { IncomingMessage } from 'node:http';
import type { ConnectionLimit } from '../admission/connection-limit.ts';
import type { ViewerAdmission } from '../admission/viewer-admission.ts';
import type { ViewerContext } from '../delivery/viewer-context.ts';
import type { LiveCounts } from '../server/live-counts.ts';
import type { ViewerRegistry } from '../server/viewer-registry.ts';

/** A way for viewers to connect. A new one is a folder here and a line in transports.ts. */
export interface Transport {
  /** The value of the label `transport` in metrics. */
  name: string;
  /** Whether its viewers stay connected. Those leave in waves at a drain; others are closed at once. */
  isLongLived: boolean;
  /** Adds its routes to the viewers' server. */
  attach(context: TransportContext): void;
}

/** The part of the live tier that a transport uses. */
export interface TransportContext {
  app: FastifyInstance;
  connections: ConnectionLimit;
  admission: ViewerAdmission;
  viewers: ViewerRegistry;
  counts: LiveCounts;
  heartbeatMs: number;
  /** The environment of the principal's subscriptions. The tier must be open. */
  contextFor: (principal: Principal, request: IncomingMessage) => ViewerContext;
}
