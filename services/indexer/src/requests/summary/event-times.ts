import { clockOf, type SummaryEvent } from './summary-event.ts';

/** Smaller differences between clocks cannot be told from different delays of delivery. */
const leastAheadMicros = 100_000;

/**
 * The events in the order of their times, and their times in microseconds, as far as the clocks of their hosts can be trusted. An event
 * that was received before it happened shows by how much its host's clock is ahead at least; what half of a host's events show is
 * subtracted from all its times. A clock that is behind cannot be told from a slow delivery; measure-spans.ts finds it where a span begins
 * before its parent.
 */
export function inTimeOrder(events: readonly SummaryEvent[]): { event: SummaryEvent; at: number }[] {
  const ahead = clocksAhead(events);
  return events
    .map((event) => ({ event, at: event.timestamp - (ahead.get(clockOf(event)) ?? 0) }))
    .sort((a, b) => a.at - b.at || a.event.partition - b.event.partition || a.event.offset - b.event.offset);
}

/** By how many microseconds each clock is ahead of the one that is ahead least. */
function clocksAhead(events: readonly SummaryEvent[]): ReadonlyMap<string, number> {
  const shown = new Map<string, number[]>();
  for (const event of events) {
    const clock = clockOf(event);
    const by = event.receivedAt === undefined ? 0 : event.timestamp - event.receivedAt * 1000;
    const others = shown.get(clock);
    if (others === undefined) shown.set(clock, [by]);
    else others.push(by);
  }
  const ahead = new Map([...shown].map(([clock, all]) => [clock, Math.max(0, median(all))]));
  // If all are ahead, it is the receiver's clock that is behind.
  const least = [...ahead.values()].reduce((a, b) => Math.min(a, b), Infinity);
  for (const [clock, by] of ahead) ahead.set(clock, by - least < leastAheadMicros ? 0 : by - least);
  return ahead;
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)]!;
}
