import type { AlertState } from '../alert-state.ts';
import type { Timings } from '../file/route.ts';

/** A group of alerts that one receiver is told about together. */
export interface GroupState {
  id: string;
  receiver: string;
  /** The labels by which the alerts were grouped. */
  labels: Readonly<Record<string, string>>;
  timings: Timings;
  /** When the first alert came, ms since 1970; tells a group from an earlier one with the same id. */
  sinceMs: number;
  /** The number of the last message that was begun; 0: none. */
  number: number;
  /** Whether its job has not ended. */
  isSending: boolean;
  /** When it was begun. */
  flushedAtMs: number | null;
  /** When the receiver last acknowledged a message. */
  sentAtMs: number | null;
  /** Messages in a row whose job failed for good. */
  failures: number;
  /** Whether an alert has changed since the last message was begun. */
  hasChanged: boolean;
  /** For when a job to look at it has been added, ms since 1970; null: for no time to come. */
  lookAtMs: number | null;
}

/** What the receiver has been told of an alert. */
export interface SentState {
  revision: number;
  state: 'firing' | 'resolved';
  startsAt: number;
  isAcked: boolean;
  /** Whether it may not know this, or know later news: an attempt to tell it was made, and nobody knows how that ended. */
  isUncertain?: true;
}

/** An alert of a group, and what the receiver was told of it. */
export interface Member {
  alert: AlertState;
  sent: SentState | undefined;
}

/** What differs between receivers. */
export interface Telling {
  /** Whether it is told of resolved alerts. */
  resolved: boolean;
  /** Whether it is told of acknowledgements. */
  acknowledgements: boolean;
}

/** Messages to a receiver that fail for good before a group in which nothing fires any more is given up. */
export const mostFailures = 3;

export function newGroup(
  group: Pick<GroupState, 'id' | 'receiver' | 'labels' | 'timings'>,
  nowMs: number,
): GroupState {
  return {
    ...group,
    sinceMs: nowMs,
    number: 0,
    isSending: false,
    flushedAtMs: null,
    sentAtMs: null,
    failures: 0,
    hasChanged: true,
    lookAtMs: null,
  };
}

/** What the receiver is to be told of, and why. */
export interface News {
  /** Those that fire and are not silenced, the oldest first. */
  firing: Member[];
  /** Those that it knows as firing, or may, and that are resolved. */
  resolved: Member[];
  /** Whether it does not know some of this. */
  isNew: boolean;
  /** Whether acknowledgements are all that it does not know. */
  isAcknowledgement: boolean;
  /** Who has acknowledged all that fires; null: somebody has to. */
  ackedBy: string | null;
}

export function newsOf(members: readonly Member[], telling: Telling): News {
  const firing = members
    .filter(({ alert }) => alert.state === 'firing' && alert.silencedBy.length === 0)
    .toSorted(
      (a, b) => a.alert.startsAt - b.alert.startsAt || (a.alert.fingerprint < b.alert.fingerprint ? -1 : 1),
    );
  // What was told is ended, even if it is silenced by now: an incident would stay open.
  const resolved = telling.resolved
    ? members.filter(({ alert, sent }) => alert.state === 'resolved' && sent?.state === 'firing')
    : [];
  const unknown = firing.some(
    ({ alert, sent }) =>
      sent?.state !== 'firing' || sent.startsAt !== alert.startsAt || sent.isUncertain === true,
  );
  const isAcked = firing.length > 0 && firing.every(({ alert }) => alert.ackedBy !== null);
  const acknowledged =
    telling.acknowledgements && isAcked && firing.some(({ sent }) => sent !== undefined && !sent.isAcked);
  return {
    firing,
    resolved,
    isNew: unknown || resolved.length > 0 || acknowledged,
    isAcknowledgement: acknowledged && !unknown && resolved.length === 0,
    ackedBy: isAcked ? firing[0]!.alert.ackedBy : null,
  };
}

/** What becomes of a group next. */
export type NextStep =
  | { kind: 'send' }
  /** Nothing before this time, ms since 1970. */
  | { kind: 'wait'; untilMs: number }
  /** Nothing until an alert changes. */
  | { kind: 'idle' }
  | { kind: 'end' };

/**
 * What to do with a group of which no message is on its way: a function of what is known and of the time alone. The first message waits for
 * `waitMs`, news after it for `intervalMs` since the last one; what still fires and nobody has acknowledged is said again after `repeatMs`.
 * After a message that failed for good the same is tried again at the time of a repeat, news as always.
 */
export function nextStep(
  group: GroupState,
  members: readonly Member[],
  telling: Telling,
  nowMs: number,
): NextStep {
  const { timings, sinceMs, flushedAtMs, sentAtMs, failures, hasChanged } = group;
  const { firing, isNew, ackedBy } = newsOf(members, telling);
  const isAlive = members.some(({ alert }) => alert.state === 'firing');
  if (isNew) {
    if (!isAlive && failures >= mostFailures) return { kind: 'end' };
    const wait = failures > 0 && !hasChanged ? timings.repeatMs : timings.intervalMs;
    return at(flushedAtMs === null ? sinceMs + timings.waitMs : flushedAtMs + wait, nowMs);
  }
  if (!isAlive) return { kind: 'end' };
  if (firing.length === 0 || ackedBy !== null) return { kind: 'idle' };
  return at((sentAtMs ?? flushedAtMs ?? sinceMs) + timings.repeatMs, nowMs);
}

function at(untilMs: number, nowMs: number): NextStep {
  return untilMs <= nowMs ? { kind: 'send' } : { kind: 'wait', untilMs };
}
