import type { JobQueue } from '@logloom/job-queue';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AlertState } from '../alert-state.ts';
import type { Receivers } from '../file/parse-receivers.ts';
import { takesAcknowledgements } from '../file/receiver-traits.ts';
import { newGroup, nextStep, type GroupState, type Member, type Telling } from './group-state.ts';
import type { GroupStore } from './group-store.ts';
import { groupsOf } from './groups-of.ts';
import {
  groupJob,
  groupRetries,
  notificationJob,
  notificationRetries,
  type GroupJob,
  type NotificationJob,
} from './jobs.ts';

export interface GroupsDeps {
  store: GroupStore;
  queue: Pick<JobQueue, 'add' | 'get'>;
  /** The receivers in force. */
  receivers: () => Receivers | undefined;
  /** The machine's clock in ms. */
  nowMs: () => number;
}

/** What a receiver is told of. One that is no longer in the file still has its failure noted, once for each message. */
export function tellingOf(receivers: Receivers | undefined, name: string): Telling {
  const receiver = receivers?.receivers.get(name);
  return {
    resolved: receiver?.sendResolved !== false,
    acknowledgements: receiver !== undefined && takesAcknowledgements(receiver),
  };
}

/**
 * Puts alerts into their groups, and looks at these. Can be repeated: a state that is known, or older than it, changes nothing. An alert stays in
 * the groups that it is in until it is resolved, also when routes change; one that was resolved before any receiver could know it is left out.
 */
export async function takeAlerts(
  deps: GroupsDeps,
  alerts: readonly AlertState[],
  signal: AbortSignal,
): Promise<void> {
  const { store, nowMs } = deps;
  const receivers = deps.receivers();
  if (receivers === undefined) return;
  const newest = new Map<string, AlertState>();
  for (const alert of alerts)
    if (alert.state !== 'pending' && alert.revision > (newest.get(alert.fingerprint)?.revision ?? -Infinity))
      newest.set(alert.fingerprint, alert);
  const changes = new Map<string, AlertState[]>();
  const groups = new Map<string, GroupState>();
  const known: [string, { revision: number; groups: string[] }][] = [];
  for (const [fingerprint, alert] of newest) {
    const before = await store.known(fingerprint);
    if (before === undefined ? alert.state === 'resolved' : before.revision >= alert.revision) continue;
    const ids = new Set<string>();
    for (const id of before?.groups ?? []) {
      const group = groups.get(id) ?? (await store.group(id));
      if (group === undefined) continue;
      groups.set(id, group);
      ids.add(id);
    }
    if (alert.state === 'firing')
      for (const key of groupsOf(receivers, alert)) {
        const group = groups.get(key.id) ?? (await store.group(key.id)) ?? newGroup(key, nowMs());
        groups.set(key.id, { ...group, timings: key.timings });
        ids.add(key.id);
      }
    for (const id of ids) changes.set(id, [...(changes.get(id) ?? []), alert]);
    known.push([fingerprint, { revision: alert.revision, groups: [...ids] }]);
  }
  for (const [id, changed] of changes) {
    // The embedded stores block the thread: other work has its turn between groups.
    await nextTurn();
    signal.throwIfAborted();
    await store.putAlerts(id, changed);
    await store.putGroup({ ...groups.get(id)!, hasChanged: true });
    await lookAt(deps, id, nowMs(), signal);
  }
  // Last: whoever is killed before this repeats all of it.
  await store.putKnown(known);
}

/** How soon a group whose message is on its way is looked at again, in case nobody says how that ends. */
const sendingLookMs = 60_000;

/**
 * Looks at a group: begins a message, or sees to it that somebody looks again. `atMs` is the time, at least that of the job. `isSure`: a job for
 * a later look is added even if there should be one.
 */
export async function lookAt(
  deps: GroupsDeps,
  id: string,
  atMs: number,
  signal: AbortSignal,
  isSure = false,
): Promise<void> {
  const { store, queue, receivers } = deps;
  const found = await store.group(id);
  if (found === undefined) return;
  const group = await settle(store, queue, found);
  if (isSure || (group.lookAtMs !== null && group.lookAtMs <= atMs)) group.lookAtMs = null;
  signal.throwIfAborted();
  if (group.isSending) {
    // The job may never have been added, or the queue was emptied: the same id is one job.
    await addNotification(queue, group);
    await lookAgain(deps, group, atMs + sendingLookMs, atMs);
    return;
  }
  const telling = tellingOf(receivers(), group.receiver);
  const members = await withoutEnded(store, group, telling);
  const step = nextStep(group, members, telling, atMs);
  signal.throwIfAborted();
  if (step.kind === 'end') await store.removeGroup(id, members);
  else if (step.kind === 'idle') await store.putGroup(group);
  else if (step.kind === 'wait') await lookAgain(deps, group, step.untilMs, atMs);
  else {
    const number = group.number + 1;
    const next = { ...group, number, isSending: true, flushedAtMs: atMs, hasChanged: false };
    await store.putGroup(next);
    await addNotification(queue, next);
    await lookAgain(deps, next, atMs + sendingLookMs, atMs);
  }
}

/** Adds a job to look at the group, unless there is one for that time or before, and stores the group. */
async function lookAgain(
  { store, queue }: GroupsDeps,
  group: GroupState,
  untilMs: number,
  atMs: number,
): Promise<void> {
  if (group.lookAtMs === null || group.lookAtMs > untilMs) {
    const options = { ...groupRetries, delayMs: Math.max(0, untilMs - atMs) };
    await queue.add(groupJob, { look: group.id, atMs: untilMs } satisfies GroupJob, options);
    group.lookAtMs = untilMs;
  }
  await store.putGroup(group);
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

/** Forgets what has ended and need not be told. */
async function withoutEnded(store: GroupStore, group: GroupState, telling: Telling): Promise<Member[]> {
  const kept: Member[] = [];
  for (const member of await store.members(group.id)) {
    const { alert, sent } = member;
    const isOpen = telling.resolved && sent?.state === 'firing';
    if (alert.state === 'resolved' && !isOpen) await store.removeMember(group.id, alert.fingerprint);
    else kept.push(member);
  }
  return kept;
}

function addNotification(queue: Pick<JobQueue, 'add'>, group: GroupState): Promise<string> {
  const data: NotificationJob = { group: group.id, sinceMs: group.sinceMs, number: group.number };
  return queue.add(notificationJob, data, { ...notificationRetries, id: notificationId(group) });
}

function notificationId({ id, sinceMs, number }: GroupState): string {
  return `${notificationJob}-${id}-${sinceMs}-${number}`;
}
