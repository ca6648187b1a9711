import type { ReceiverKind } from '../target/receiver.ts';
import type { TargetKind } from '../target/target.ts';
import type { FaultPlan } from './fault-plan.ts';
import type { ReplayPlan, TrafficProfile } from './traffic-profile.ts';
import type { ViewerKind } from './viewer-kind.ts';

export { defaultTraffic } from './traffic-profile.ts';
export type { ViewerKind } from './viewer-kind.ts';

/** How a value gets from where it is to `to`. */
export type Shape = 'linear' | 'exponential' | 'steps' | 'spike' | 'bursts' | 'recorded';

/** A part of a scenario's time for viewers or for events. */
export interface Stage {
  name?: string;
  /** Viewers, or events a second, at the end; of a spike or of bursts, at the peak. */
  to: number;
  seconds: number;
  shape: Shape;
  /** How many steps or bursts; default 5. */
  count?: number;
  /** Of a recorded one: its values one after the other, each for the same time. */
  rates?: readonly number[];
}

export interface Churn {
  /** This share of the viewers is cut and connects again, resuming at its cursor. */
  share: number;
  everySeconds: number;
}

export interface EventsPlan {
  stages: Stage[];
  traffic: TrafficProfile;
  replay?: ReplayPlan;
  /** Of a Logloom; the sender's queues take turns. Default: json. */
  receivers?: readonly ReceiverKind[];
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
  events: EventsPlan;
  faults: FaultPlan[];
  objectives: ObjectivePlan[];
  target?: TargetPlan;
}

/** What a result says of its scenario. */
export function summaryOf({ name, description, viewers: { churn } }: Scenario): {
  name: string;
  description: string;
  churnShare?: number;
} {
  return { name, description, ...(churn === undefined ? {} : { churnShare: churn.share }) };
}
