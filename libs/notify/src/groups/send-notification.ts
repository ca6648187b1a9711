import { RetryLaterError, UnrecoverableJobError, type JobQueue, type RunningJob } from '@logloom/job-queue';
import { DeliveryError } from '../delivery-error.ts';
import type { Receivers } from '../file/parse-receivers.ts';
import { sendToReceiver } from '../senders/send-to-receiver.ts';
import type { SendDeps } from '../senders/sender.ts';
import { composeNotification, type Composed } from './compose-notification.ts';
import type { GroupStore } from './group-store.ts';
import type { GroupState } from './group-state.ts';
import { lookJobs, type NotificationJob } from './jobs.ts';
import { sendingLookMs } from './look-at-groups.ts';
import type { ReceiverHealth } from './receiver-health.ts';
import { tellingOf } from './telling-of.ts';

/** How an attempt has ended. `failed`: it is tried again; `dead`: not by itself. */
export type NotificationOutcome = 'sent' | 'failed' | 'dead';

export interface SendNotificationDeps {
  store: GroupStore;
  queue: Pick<JobQueue, 'addMany'>;
  receivers: () => Receivers | undefined;
  sending: Omit<SendDeps, 'link'>;
  health: ReceiverHealth;
  /** Told of each attempt, with the seconds that it took. */
  onOutcome: (receiver: string, outcome: NotificationOutcome, seconds: number) => void;
}

/** Until a failed job is stored as such, ms. */
const settlingMs = 1_000;

/**
 * Sends what a group has to say now. At least once: what a receiver may know is stored before the attempt, what it has acknowledged after it, and
 * whoever is killed in between sends the same again, with the same id, or the end of what is over by then. A message after which the group has begun another is not sent: that one says it too.
 */
export async function sendNotification(
  deps: SendNotificationDeps,
  job: RunningJob,
  signal: AbortSignal,
): Promise<void> {
  const { store, queue, onOutcome } = deps;
  const { group: id, sinceMs, number } = job.data as NotificationJob;
  const group = await store.group(id);
  if (group?.sinceMs !== sinceMs || group.number !== number) return;
  const { nowMs } = deps.sending;
  const receivers = deps.receivers();
  const telling = tellingOf(receivers, group.receiver);
  const isWhole = receivers?.receivers.get(group.receiver)?.alertmanager !== undefined;
  const composed = composeNotification(group, await store.members(id), telling, isWhole);
  if (composed !== undefined) {
    const startedAtMs = performance.now();
    const ended = (outcome: NotificationOutcome): void =>
      onOutcome(group.receiver, outcome, (performance.now() - startedAtMs) / 1000);
    try {
      await tell(deps, receivers, composed, signal);
      ended('sent');
    } catch (error) {
      if (signal.aborted) throw error;
      const isDead = isFinal(error) || job.attemptsMade >= job.attempts;
      ended(isDead ? 'dead' : 'failed');
      if (isDead && (await isAwaited(store, group)))
        await queue.addMany(lookJobs([id], 0, { delayMs: settlingMs }));
      throw jobError(error, group.receiver);
    }
    await store.putSent(id, composed.sent);
  }
  await store.putDelivered(id, { sinceMs, number, atMs: nowMs() });
  if (await isAwaited(store, group)) await queue.addMany(lookJobs([id], 0));
}

/**
 * Whether the end of a message has to be seen to at once. Otherwise the look that is due soon does it, for many groups together: storms end many
 * messages at a time.
 */
async function isAwaited(store: GroupStore, { id, timings }: GroupState): Promise<boolean> {
  if (Math.min(timings.intervalMs, timings.repeatMs) < sendingLookMs) return true;
  return (await store.group(id))?.hasChanged === true;
}

async function tell(
  { store, health, sending }: SendNotificationDeps,
  receivers: Receivers | undefined,
  composed: Composed,
  signal: AbortSignal,
): Promise<void> {
  const { notification } = composed;
  const { receiver: name } = notification;
  const receiver = receivers?.receivers.get(name);
  if (receiver === undefined)
    throw new DeliveryError('it is not in the receivers file any more', { isFinal: true });
  const waitMs = health.waitMs(name, sending.nowMs());
  if (waitMs > 0)
    throw new DeliveryError('it has not answered lately, and is tried with another message', {
      retryAfterMs: spread(waitMs),
    });
  try {
    await attempt(store, composed, () =>
      sendToReceiver(receiver, notification, { ...sending, link: receivers?.link }, signal),
    );
  } catch (error) {
    if (!(error instanceof DeliveryError) || !error.isSilent) {
      health.answered(name);
      throw error;
    }
    const pauseMs = health.silent(name, sending.nowMs());
    const { message, cause } = error;
    throw pauseMs === 0 ? error : new DeliveryError(message, { cause, retryAfterMs: spread(pauseMs) });
  }
  health.answered(name);
}

/** Sends, and stores before that what the receiver may know if nobody learns how it ends. */
async function attempt(
  store: GroupStore,
  { notification, attempted }: Composed,
  send: () => Promise<void>,
): Promise<void> {
  const { groupId } = notification;
  await store.putSent(
    groupId,
    attempted.map(({ fingerprint, during }) => [fingerprint, during]),
  );
  try {
    await send();
  } catch (error) {
    if (error instanceof DeliveryError && error.isRefused)
      await store.putSent(
        groupId,
        attempted.map(({ fingerprint, before }) => [fingerprint, before]),
      );
    throw error;
  }
}

/** The time and up to a tenth more, so that not all of them come at once. */
function spread(ms: number): number {
  return ms * (1 + Math.random() / 10);
}

function isFinal(error: unknown): boolean {
  return error instanceof DeliveryError && error.isFinal;
}

/** The error as the queue takes it: final, to be tried at a time, or by its backoff. */
function jobError(error: unknown, receiver: string): Error {
  const { message } = error as Error;
  const text = `${receiver} was not told: ${message}`;
  if (isFinal(error)) return new UnrecoverableJobError(text, { cause: error });
  const afterMs = error instanceof DeliveryError ? error.retryAfterMs : undefined;
  if (afterMs !== undefined) return new RetryLaterError(text, afterMs, { cause: error });
  return new Error(text, { cause: error });
}
