/** Marks an event of a load test: its run, and its number in it. */
export interface EventMark {
  run: string;
  n: number;
}

/** An event as a viewer gets it: with the mark where it was sent, or among the attributes, where Logloom puts it. */
export interface ReceivedEvent {
  service?: string;
  level?: string;
  message?: string;
  correlationId?: string;
  partition?: number;
  offset?: number;
  attributes?: { loadtest?: EventMark };
  loadtest?: EventMark;
}

export function markOf({ loadtest, attributes }: ReceivedEvent): EventMark | undefined {
  return loadtest ?? attributes?.loadtest;
}

export function isOwn(event: ReceivedEvent, run: string): boolean {
  return markOf(event)?.run === run;
}

/** The events in a payload: one, an array of them, or an object with an array `events`. */
export function eventsIn(payload: unknown): ReceivedEvent[] {
  if (Array.isArray(payload)) return payload.flatMap(eventsIn);
  if (typeof payload !== 'object' || payload === null) return [];
  const { events } = payload as { events?: unknown };
  return Array.isArray(events) ? (events as ReceivedEvent[]) : [payload];
}
