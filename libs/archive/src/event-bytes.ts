import type { PlacedEvent } from '@logloom/schemas';

/** An answer of the archive ends after so many bytes of events, unless its caller says otherwise. */
export const maxAnswerBytes = 8 * 2 ** 20;

/** Roughly what an event holds in memory. */
export function eventBytes({ message, attributes }: PlacedEvent): number {
  return 300 + message.length + attributes.length;
}
