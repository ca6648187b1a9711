import type { PlacedEvent } from '@logloom/schemas';

/** A result of the archive ends after this many bytes of events, unless its caller sets another limit. */
export const maxAnswerBytes = 8 * 2 ** 20;

/** Roughly what an event holds in memory. */
export function eventBytes({ message, attributes }: PlacedEvent): number {
  return 300 + message.length + attributes.length;
}
