import type { Serde } from '@logloom/schema-registry';
import type { Logger } from '@logloom/telemetry';
import type { EventLoopQueue } from '../admission/event-loop-queue.ts';
import type { ViewerLimits } from '../admission/viewer-limits.ts';
import type { DurableCursors } from '../durable/durable-cursors.ts';
import type { SubscribeRequest } from '../protocol/client-message.ts';
import type { PrincipalStreams } from '../visible/stream-of.ts';
import type { LiveCounts } from '../server/live-counts.ts';
import type { DeliveryContext } from './subscription.ts';

/** The environment of a viewer's subscriptions. All viewers of a live tier share most of it. */
export interface ViewerContext extends DeliveryContext, PrincipalStreams {
  eventLoop: EventLoopQueue;
  limits: ViewerLimits;
  logger: Logger;
  serde: Serde;
  counts: LiveCounts;
  /** Absent if no cursors are stored for viewers. */
  durables?: DurableCursors | undefined;
  /** The viewer's principal (Principal.subject). Durable names belong to it. */
  principal?: string;
  /** Called for each subscription, for the audit of reads. */
  onSubscribe?: (request: SubscribeRequest) => void;
}
