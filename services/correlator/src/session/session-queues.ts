import { Redirects } from '../join/redirects.ts';
import { LinkedQueue } from './linked-queue.ts';
import type { SessionWindow } from './session-window.ts';
import { Waits } from './waits.ts';

/** When the sessions of backfilled events close. Times in milliseconds of the log's clock. */
export interface BackfillOptions {
  /** They close after this time without any backfilled event in the partition: files that are sent one after another belong together. */
  idleMs: number;
  /** One of them closes at this age, so that its document is there while a long backfill goes on. */
  maxMs: number;
  /** How long after the last backfilled event in the partition a further one still revises a document. */
  graceMs: number;
  /** The estimated memory that they may use, in bytes; see CorrelateOptions.memoryBytes. */
  memoryBytes: number;
}

/** Sessions that close by the same options, in the order of their deadlines, with their memory. */
export class SessionQueues {
  readonly byActivity = new LinkedQueue<SessionWindow>();
  readonly byAge = new LinkedQueue<SessionWindow>();
  /** Closed sessions that still take late events. */
  readonly byGrace = new LinkedQueue<SessionWindow>();
  readonly waits = new Waits<SessionWindow>();
  /** The links of their ids. */
  readonly redirects = new Redirects();
  /** The log's clock at the last event of any of them. */
  activeAtMs = 0;
  /** Their estimated memory. */
  bytes = 0;
}
