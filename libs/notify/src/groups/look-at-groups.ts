import type { JobQueue, NewJob } from '@logloom/job-queue';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Receivers } from '../file/parse-receivers.ts';
import { nextStep, type GroupState, type Member, type Telling } from './group-state.ts';
import type { GroupStore } from './group-store.ts';
import { lookJobs, notificationJob, notificationRetries, type NotificationJob } from './jobs.ts';
import { tellingOf } from './telling-of.ts';

export interface GroupsDeps {
  store: GroupStore;
  queue: Pick<JobQueue, 'addMany' | 'get'>;
  /** The receivers in force. */
  receivers: () => Receivers | undefined;
  /** The machine's clock in ms. */
  nowMs: () => number;
}

/** How soon a group whose message is on its way is looked at again, in case nobody says how that ends. */
export const sendingLookMs = 60_000;

/**
 * Looks at groups: begins messages, or sees to it that somebody looks again. `atMs` is the time, at least that of the job. `isSure`: a job for a
 * later look is added even if there should be one. Whoever is killed in between repeats all of it.
 */
export async function lookAtGroups(
  deps: GroupsDeps,
  ids: readonly string[],
  atMs: number,
  signal: AbortSignal,
  isSure = false,
): Promise<void> {
  const { store, queue, receivers } = deps;
  const kept: GroupState[] = [];
  const sending: GroupState[] = [];
  const later = new Map<number, string[]>();
  const removed = new Map<string, string[]>();
  const ended: string[] = [];
  /** Notes that the group is to be looked at again, unless there is a job for that time or before. */
  const lookAgain = (group: GroupState, untilMs: number): void => {
    if (group.lookAtMs !== null && group.lookAtMs <= untilMs) return;
    group.lookAtMs = untilMs;
    later.set(untilMs, [...(later.get(untilMs) ?? []), group.id]);
  };
  for (const id of ids) {
    // The embedded stores block the thread: other work has its turn between groups.
    await nextTurn();
    signal.throwIfAborted();
    const found = await store.group(id);
    if (found === undefined) continue;
    const group = await settle(store, queue, found);
    if (isSure || (group.lookAtMs !== null && group.lookAtMs <= atMs)) group.lookAtMs = null;
    if (!group.isSending) {
      const telling = tellingOf(receivers(), group.receiver);
      const members = await store.members(id);
      const open = members.filter((member) => !isOver(member, telling));
      const step = nextStep(group, open, telling, atMs);
      const over = step.kind === 'end' ? members : members.filter((member) => isOver(member, telling));
      removed.set(
        id,
        over.map(({ alert }) => alert.fingerprint),
      );
      if (step.kind === 'end') {
        ended.push(id);
        continue;
      }
      if (step.kind === 'wait') lookAgain(group, step.untilMs);
      if (step.kind === 'send') {
        group.number++;
        group.isSending = true;
        group.flushedAtMs = atMs;
        group.hasChanged = false;
      }
    }
    kept.push(group);
    if (!group.isSending) continue;
    // Its job may never have been added, or the queue was emptied: the same id is one job.
    sending.push(group);
    lookAgain(group, atMs + sendingLookMs);
  }
  signal.throwIfAborted();
  const looks = [...later].flatMap(([untilMs, groups]) =>
    lookJobs(groups, untilMs, { delayMs: Math.max(0, untilMs - atMs) }),
  );
  // What a group says of jobs is true: looks are added before, messages after it.
  if (looks.length > 0) await queue.addMany(looks);
  await store.putGroups(kept);
  if (sending.length > 0) await queue.addMany(sending.map(notificationOf));
  await store.removeMembers(removed);
  await store.removeGroups(ended);
}

/** Takes over how the message that was on its way has ended. */
async function settle(
  store: GroupStore,
  queue: Pick<JobQueue, 'get'>,
  group: GroupState,
): Promise<GroupState> {
  const delivered = await store.delivered(group.id);
  if (delivered?.sinceMs === group.sinceMs && delivered.number === group.number)
    return { ...group, isSending: false, sentAtMs: delivered.atMs, failures: 0 };
  if (!group.isSending) return group;
  const job = await queue.get(notificationId(group));
  if (job?.state === 'failed') return { ...group, isSending: false, failures: group.failures + 1 };
  return job?.state === 'completed' ? { ...group, isSending: false } : group;
}

/** Whether an alert of a group has ended and need not be told. */
function isOver({ alert, sent }: Member, telling: Telling): boolean {
  return alert.state === 'resolved' && !(telling.resolved && sent?.state === 'firing');
}

function notificationOf(group: GroupState): NewJob {
  const data: NotificationJob = { group: group.id, sinceMs: group.sinceMs, number: group.number };
  return { ...notificationRetries, name: notificationJob, data, id: notificationId(group) };
}

function notificationId({ id, sinceMs, number }: GroupState): string {
  return `${notificationJob}-${id}-${sinceMs}-${number}`;
}
