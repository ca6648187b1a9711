import type { TargetKind } from '../target/target.ts';
import type { FaultPlan } from './fault-plan.ts';

/** How a value gets from where it is to `to`. */
export type Shape = 'linear' | 'exponential' | 'steps' | 'spike' | 'bursts';

/** A part of a scenario's time for viewers or for events. */
export interface Stage {
  name?: string;
  /** Viewers, or events a second, at the end; of a spike or of bursts, at the peak. */
  to: number;
  seconds: number;
  shape: Shape;
  /** How many steps or bursts; default 5. */
  count?: number;
}

/** What a viewer watches. `service`: each viewer one service, in turn. */
export type WatchKind = 'all' | 'service' | 'errors';

export interface ViewerKind {
  weight: number;
  watch: WatchKind;
  /** Stops reading for `seconds`, every `everySeconds`. */
  stall?: { everySeconds: number; seconds: number };
  /** Offers permessage-deflate. */
  compression?: boolean;
}

export interface Churn {
  /** This share of the viewers is cut and connects again, resuming at its cursor. */
  share: number;
  everySeconds: number;
}

export interface TrafficProfile {
  services: number;
  errorShare: number;
  eventsPerRequest: number;
  /** How many requests are under way at a time: their events are interleaved. */
  concurrentRequests: number;
  /** Of a message, at least. */
  messageBytes: number;
}

export interface ObjectivePlan {
  metric: string;
  atMost?: number;
  atLeast?: number;
}

/** What the scenario is for, where the command line does not say it. */
export interface TargetPlan {
  kind: TargetKind;
  url?: string;
  publishUrl?: string;
  /** Centrifugo's. */
  channel?: string;
}

/** A load test as a file describes it. The run takes as long as the longer of viewers and events. */
export interface Scenario {
  name: string;
  description: string;
  viewers: { stages: Stage[]; mix: ViewerKind[]; churn?: Churn };
  events: { stages: Stage[]; traffic: TrafficProfile };
  faults: FaultPlan[];
  objectives: ObjectivePlan[];
  target?: TargetPlan;
}

export const defaultTraffic: TrafficProfile = {
  services: 10,
  errorShare: 0.02,
  eventsPerRequest: 6,
  concurrentRequests: 20,
  messageBytes: 120,
};

/** What a result says of its scenario. */
export function summaryOf({ name, description, viewers: { churn } }: Scenario): {
  name: string;
  description: string;
  churnShare?: number;
} {
  return { name, description, ...(churn === undefined ? {} : { churnShare: churn.share }) };
}
