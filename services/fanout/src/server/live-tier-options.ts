import type { ViewerAdmissionOptions } from '../admission/viewer-admission.ts';
import { defaultLimits } from '../admission/viewer-limits.ts';
import type { DrainOptions } from './drain-viewers.ts';

export interface LiveTierOptions extends ViewerAdmissionOptions, DrainOptions {
  heartbeatMs: number;
  /** The limit of connections of all kinds; default: as the viewers and the process's file descriptors allow (connectionBudget). */
  maxConnections?: number;
  /** Whether each subscription is written to the log with its principal. */
  auditReads: boolean;
  /** Records of each partition that are read back at the start. */
  readBack: number;
  /** What each stream keeps in memory for viewers that reconnect. */
  ringItems: number;
  ringBytes: number;
  /** How long the cursor of an unused durable subscription is kept. */
  durableExpireMs: number;
  /** Durable names of one principal. */
  durableNames: number;
  /** Bytes of all durable names together. */
  durableBytes: number;
}

export const defaultOptions: LiveTierOptions = {
  heartbeatMs: 15_000,
  maxViewers: 20_000,
  maxHandshakes: 1_000,
  limits: defaultLimits,
  addressLimits: { connections: 1_000, messagesPerSecond: 2_000 },
  trustedProxies: [],
  host: '127.0.0.1',
  allowedHosts: [],
  allowedOrigins: [],
  auditReads: false,
  retrySpreadMs: 5_000,
  drainMs: 3_000,
  othersServe: false,
  readBack: 5_000,
  ringItems: 50_000,
  ringBytes: 64 * 2 ** 20,
  durableExpireMs: 7 * 86_400_000,
  durableNames: 1_000,
  durableBytes: 64 * 2 ** 20,
};
