import type { EventLoopQueue } from '../admission/event-loop-queue.ts';
import type { LiveErrorCode } from '../errors.ts';
import { catchUp } from '../history/catch-up.ts';
import { findTail } from '../history/find-tail.ts';
import type { From } from '../protocol/subscribe-from.ts';
import type { Subscription } from './subscription.ts';

/** How a subscription's start is reported to its client. */
export interface StartReport {
  /** The client is subscribed: everything after `cursor` follows. `resumed`: it is the cursor that the client sent. */
  confirm: (cursor: string, resumed: boolean) => void;
  fail: (code: LiveErrorCode) => void;
}

/**
 * Starts a new subscription where its client wants it to begin, and catches it up from there. Resolves when it is live, or has ended
 * meanwhile. Rejects when the log cannot be read.
 */
export async function startSubscription(
  subscription: Subscription,
  from: From,
  eventLoop: EventLoopQueue,
  report: StartReport,
): Promise<void> {
  if (from.type === 'now') startNow(subscription, report);
  else if (from.type === 'cursor') await startAtCursor(subscription, from.cursor, eventLoop, report);
  else await startBefore(subscription, from, eventLoop, report);
}

/** Catches a subscription up from a cursor that its viewer was sent. Resolves and rejects as startSubscription(). */
export async function continueSubscription(
  subscription: Subscription,
  cursor: string,
  eventLoop: EventLoopQueue,
): Promise<void> {
  const { stream } = subscription;
  const place = await stream.cursors.resolve(cursor);
  if (subscription.isClosed || subscription.isPaused) return;
  if (typeof place === 'object') return catchUp(subscription, place.offsets, eventLoop, place.announced);
  subscription.goLive();
  subscription.tellGap(cursor, stream.cursor, 0, 'epoch');
}

function startNow(subscription: Subscription, { confirm }: StartReport): void {
  const { stream } = subscription;
  if (subscription.ids.size === 1) subscription.goLive();
  else stream.broadcast.flush(subscription.channel, performance.now());
  confirm(stream.cursor, false);
}

async function startAtCursor(
  subscription: Subscription,
  cursor: string,
  eventLoop: EventLoopQueue,
  report: StartReport,
): Promise<void> {
  const { stream } = subscription;
  const place = await stream.cursors.resolve(cursor);
  if (subscription.isClosed) return;
  if (place === undefined) return report.fail('bad-cursor');
  if (place === 'void') {
    startNow(subscription, report);
    subscription.tellGap(cursor, stream.cursor, 0, 'epoch');
    return;
  }
  report.confirm(cursor, true);
  await catchUp(subscription, place.offsets, eventLoop, place.announced);
}

async function startBefore(
  subscription: Subscription,
  from: Extract<From, { type: 'tail' | 'last' }>,
  eventLoop: EventLoopQueue,
  { confirm }: StartReport,
): Promise<void> {
  const { stream, channel } = subscription;
  const offsets =
    from.type === 'tail'
      ? await findTail(stream, channel.filter, from.count, eventLoop)
      : await stream.offsetsSince(Date.now() - from.ms);
  if (subscription.isClosed) return;
  confirm(stream.cursorAt(offsets), false);
  await catchUp(subscription, offsets, eventLoop);
}
