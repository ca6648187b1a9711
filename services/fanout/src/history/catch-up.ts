import { setTimeout as sleep } from 'node:timers/promises';
import { maxBatchLength } from '../delivery/broadcast.ts';
import type { Announced } from '../protocol/cursor.ts';
import type { HistoryPage } from './history-page.ts';
import { selectionOf } from './selection.ts';
import type { Subscription } from '../delivery/subscription.ts';
import type { EventLoopQueue } from '../admission/event-loop-queue.ts';

const aheadPollMs = 20;

/**
 * Sends a subscription everything from these offsets on and hands it over to its channel at exactly the stream's position: nothing is
 * missing or repeated. Resolves when it is live, paused or closed. Rejects when the log cannot be read.
 */
export async function catchUp(
  subscription: Subscription,
  from: readonly number[],
  eventLoop: EventLoopQueue,
  announced?: Announced,
): Promise<void> {
  const { stats } = subscription.stream;
  stats.catchUps++;
  stats.catchingUp++;
  try {
    await sendPages(subscription, from, eventLoop, announced);
  } finally {
    stats.catchingUp--;
  }
}

async function sendPages(
  subscription: Subscription,
  from: readonly number[],
  eventLoop: EventLoopQueue,
  announced: Announced | undefined,
): Promise<void> {
  const { stream, priority } = subscription;
  const { pages } = stream;
  const isCurrent = subscription.startCatchUp();
  const selection = selectionOf(subscription.channel.filter, announced);
  let position = from;
  while (isCurrent() && !(stream.hasReached(from) && stream.hasReached(announced?.to ?? from)))
    await sleep(aheadPollMs);
  while (isCurrent()) {
    let loaded: HistoryPage | undefined;
    if (!stream.ring.reaches(position)) loaded = await pages.load(selection, position);
    await subscription.writable();
    await eventLoop.slot(priority);
    // From here to the hand-over nothing else runs.
    for (let sent = 0; isCurrent() && sent < maxBatchLength && subscription.hasRoom;) {
      // After a gap that announced a part, the viewer needs a plain cursor.
      if (stream.isAt(position)) return subscription.goLive(announced && stream.cursor);
      const page = loaded ?? pages.ready(selection, position);
      if (page === undefined) break;
      loaded = undefined;
      subscription.sendPage(page);
      position = page.end;
      sent += page.bytes;
    }
  }
}
