import type { FaultSide, ProxyFault } from '../../scenario/fault-plan.ts';
import type { ProxyTarget } from './proxied-connection.ts';

export type ToProxy =
  | { type: 'start'; targets: Partial<Record<FaultSide, ProxyTarget[]>> }
  | { type: 'watch'; startsAtMs: number }
  | { type: 'begin'; id: number; on: FaultSide; fault: ProxyFault }
  | { type: 'end'; id: number; on: FaultSide };

export type FromProxy =
  | { type: 'listening'; ports: Partial<Record<FaultSide, number[]>> }
  | { type: 'begun'; id: number; connections: number }
  /** What the process itself takes; shares of a core. */
  | { type: 'second'; second: number; cpu: number; loopDelayP99Ms: number };
