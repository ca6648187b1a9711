import { clockOf, type SummaryEvent } from './summary-event.ts';

/** Smaller differences between clocks cannot be told from different delays of delivery. */
const leastAheadMicros = 100_000;

/**
 * The events in the order of their times, and their times in microseconds, as far as the clocks of their hosts can be trusted: an event
 * that was received before it happened shows by how much its host's clock is ahead at least, and this much is subtracted from all times of
 * that host. A clock that is behind cannot be told from a slow delivery; span-tree.ts finds it where a span begins before its parent.
 */
export function inTimeOrder(events: readonly SummaryEvent[]): { event: SummaryEvent; at: number }[] {
  const ahead = clocksAhead(events);
  return events
    .map((event) => ({ event, at: event.timestamp - (ahead.get(clockOf(event)) ?? 0) }))
    .sort((a, b) => a.at - b.at || a.event.partition - b.event.partition || a.event.offset - b.event.offset);
}

/** By how many microseconds each clock is ahead of the one that is ahead least. */
function clocksAhead(events: readonly SummaryEvent[]): ReadonlyMap<string, number> {
  const ahead = new Map<string, number>();
  for (const event of events) {
    const clock = clockOf(event);
    const by = event.receivedAt === undefined ? 0 : event.timestamp - event.receivedAt * 1000;
    ahead.set(clock, Math.max(ahead.get(clock) ?? 0, by));
  }
  // If all are ahead, it is the receiver's clock that is behind.
  const least = [...ahead.values()].reduce((a, b) => Math.min(a, b), Infinity);
  for (const [clock, by] of ahead) ahead.set(clock, by - least < leastAheadMicros ? 0 : by - least);
  return ahead;
}
