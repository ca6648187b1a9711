import { createHash } from 'node:crypto';
import { mostAlerts, type Notification } from '../senders/notification.ts';
import { newsOf, type GroupState, type Member, type SentState, type Telling } from './group-state.ts';

export interface Composed {
  notification: Notification;
  /** What the receiver knows once it has the message, by fingerprint. */
  sent: [fingerprint: string, state: SentState][];
  /** What it may know from the attempt on, and what is known of it before, where these differ. */
  attempted: Attempted[];
}

export interface Attempted {
  fingerprint: string;
  before: SentState | undefined;
  during: SentState;
}

/**
 * The message about a group as it is now: all that fires, and what was resolved since the last one. Undefined: there is nothing to say. The id
 * follows from the content, so that an attempt that is repeated has the same, and one that says more has another. `isWhole`: for receivers
 * that take alerts one by one, none is left out.
 */
export function composeNotification(
  { id: groupId, receiver, labels: groupLabels, sinceMs, number }: GroupState,
  members: readonly Member[],
  telling: Telling,
  isWhole: boolean,
): Composed | undefined {
  const { firing, resolved, isAcknowledgement, ackedBy } = newsOf(members, telling);
  const told = [...firing, ...resolved];
  if (told.length === 0) return undefined;
  const alerts = told.map(({ alert }) => alert);
  const content = alerts.map(({ fingerprint, state, startsAt, ackedBy: by }) => [
    fingerprint,
    state,
    startsAt,
    telling.acknowledgements && by !== null,
  ]);
  const id = createHash('sha256')
    .update(JSON.stringify([groupId, sinceMs, number, content]))
    .digest('hex')
    .slice(0, 32);
  const shown = isWhole ? alerts : alerts.slice(0, mostAlerts);
  return {
    notification: {
      id,
      receiver,
      groupId,
      groupLabels,
      status: firing.length > 0 ? 'firing' : 'resolved',
      alerts: shown,
      firingCount: firing.length,
      resolvedCount: resolved.length,
      ackedBy,
      isAcknowledgement,
    },
    sent: alerts.map(({ fingerprint, revision, state, startsAt, ackedBy: by }) => [
      fingerprint,
      { revision, state: state === 'resolved' ? 'resolved' : 'firing', startsAt, isAcked: by !== null },
    ]),
    attempted: told.flatMap(attemptedOf),
  };
}

/** Its end has to be told even if the attempt's answer is lost, and so has its beginning if it fires again. */
function attemptedOf({ alert, sent: before }: Member): Attempted[] {
  const { fingerprint, revision, state, startsAt } = alert;
  const isSame = before?.state === 'firing' && before.startsAt === startsAt;
  if (isSame && (state === 'firing' || before.isUncertain)) return [];
  const during: SentState = { revision, state: 'firing', startsAt, isAcked: false, isUncertain: true };
  return [{ fingerprint, before, during }];
}
