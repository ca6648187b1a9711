import type { FilterLimits } from '@logloom/filter';

/** What one viewer may do. */
export interface ViewerLimits {
  /** Of one message. */
  messageBytes: number;
  subscriptions: number;
  /** With bursts of twice as many. */
  messagesPerSecond: number;
  /** With bursts of twice `subscriptions`: a client that reconnects subscribes to everything again. */
  subscribesPerSecond: number;
  filter: FilterLimits;
}

export const defaultLimits: ViewerLimits = {
  messageBytes: 65_536,
  subscriptions: 100,
  messagesPerSecond: 100,
  subscribesPerSecond: 20,
  filter: { terms: 64, depth: 32, wildcards: 64 },
};
