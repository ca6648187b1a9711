import type { Tenth } from '../faults/tenths.ts';
import type { Account, FoundFault } from '../oracle/viewer-ledger.ts';
import type { Finding, Incident } from '../result.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { SenderTarget } from '../target/sender.ts';
import type { ViewerTarget } from '../target/target.ts';

/** The first message of each process. */
export interface Ready {
  type: 'ready';
}

/** What the parent tells a process of viewers. */
export type ToViewers =
  | {
      type: 'start';
      run: string;
      scenario: Scenario;
      target: ViewerTarget;
      /** The process has the viewers whose number leaves this rest when divided by `processes`. */
      index: number;
      processes: number;
      /** Time 0 of the scenario, ms since 1970. */
      startsAtMs: number;
    }
  | { type: 'cut'; share: number }
  /** The time is over: no viewer is opened or closed any more. */
  | { type: 'hold'; sent: number }
  /** Asks for the account so far. */
  | { type: 'tally' }
  | { type: 'finish'; notStored: number[] };

/** One second of one process; a histogram is in the compressed base64 of HdrHistogram. */
export interface ViewersSecond {
  type: 'second';
  second: number;
  watching: number;
  deliveries: number;
  receivedBytes: number;
  connects: number;
  connectFailures: number;
  disconnects: number;
  /** Connections of viewers that had watched before; `resumed`: those that the target lets go on at their cursors. */
  returned: number;
  resumed: number;
  attempted: number;
  failuresByReason: Record<string, number>;
  incidents: Incident[];
  deliveryHistogram: string | null;
  connectHistogram: string | null;
  tenths: Tenth[];
  /** Share of a core. */
  cpu: number;
  loopDelayP99Ms: number;
}

/** The accounts of all viewers of a process, added up. */
export interface ViewersTally extends Account {
  type: 'tally';
  viewers: number;
  /** How many watch at the moment. */
  watching: number;
}

export interface ViewersEnd {
  type: 'end';
  /** `exact`: viewers without any fault. */
  account: Omit<ViewersTally, 'type'> & { exact: number };
  findings: Record<FoundFault['kind'], Finding>;
  /** Deliveries that did not come, announced or not, by the tenth of a second in which their events were due. */
  missing: [tenth: number, deliveries: number][];
}

export type FromViewers = ViewersSecond | ViewersTally | ViewersEnd;

export interface ProducerStart {
  type: 'start';
  run: string;
  scenario: Scenario;
  /** Queues take turns. */
  targets: readonly SenderTarget[];
  startsAtMs: number;
}

/** What the parent tells the process that sends. */
export type ToProducer =
  | ProducerStart
  | { type: 'abort' }
  /** The timestamps of events are off by so much from now on. */
  | { type: 'clock'; offsetMs: number };

export interface ProducerSecond {
  type: 'second';
  second: number;
  due: number;
  sent: number;
  acknowledged: number;
  retries: number;
  requestsByStatus: Record<string, number>;
  incidents: Incident[];
  ingestHistogram: string | null;
  tenths: Tenth[];
  latenessP99Ms: number;
  cpu: number;
  loopDelayP99Ms: number;
}

export interface ProducerEnd {
  type: 'end';
  intended: number;
  acknowledged: number;
  /** Numbers of the events that were refused, and of those whose fate nobody told. */
  refused: number[];
  unknown: number[];
}

export type FromProducer = ProducerSecond | ProducerEnd;
