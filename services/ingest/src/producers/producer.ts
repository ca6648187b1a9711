import type { Source } from '@logloom/schemas';
import { randomBytes } from 'node:crypto';

/** Numbers a request's events. */
export interface Producer {
  /** The source of the next event. Where the events are numbered, its index is for a checksum of the event's content. */
  next: () => Source;
  /** Whether the sender gave the numbers: an event with a number and a content that are durable already is not stored again. */
  isNumbered: boolean;
  isDurable: (source: Source) => boolean;
  /** Told of each event that has become durable. */
  stored: (source: Source) => void;
}

/** The numbers of events whose senders give none. They are the server's: nothing that a sender says is in them. */
export function createOwnProducer(): Producer {
  const topic = randomBytes(9).toString('base64url');
  let sequence = 0;
  return {
    next: () => ({ kind: 'http', topic, partition: 0, offset: sequence++, index: 0 }),
    isNumbered: false,
    isDurable: () => false,
    stored: () => {},
  };
}
