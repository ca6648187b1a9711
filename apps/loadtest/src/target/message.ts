import { eventsIn, type ReceivedEvent } from './received-event.ts';

/** What a message of a target says. */
export interface Message {
  /** `events` carries events and nothing else that a viewer has to know. */
  type: string;
  /** Where a viewer that has got it goes on; null: it does not say. */
  cursor: string | null;
  channel: number;
  events: readonly ReceivedEvent[];
  /** Events left out, where it counts them exactly. */
  missed: number;
  /** The message itself, where it is none of events. */
  message: Record<string, unknown> | null;
}

/** A message of events, with the rest of what Message says. */
export function eventsMessage(payload: unknown, cursor: string | null = null): Message {
  return { type: 'events', cursor, channel: -1, events: eventsIn(payload), missed: 0, message: null };
}
