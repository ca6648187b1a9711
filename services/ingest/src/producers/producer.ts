import type { Source } from '@logloom/schemas';
import { randomBytes } from 'node:crypto';

/** Numbers a request's events. */
export interface Producer {
  /** Returns the source of the next event. Where the sender numbers the events, the caller sets its index to a checksum of the content. */
  next: () => Source;
  /** Whether the sender numbers the events: one whose number and content are durable already is not stored again. */
  isNumbered: boolean;
  isDurable: (source: Source) => boolean;
  /** Called with each event that has become durable. */
  stored: (source: Source) => void;
}

/** Numbers the events of senders that do not number theirs. The numbers are the server's own: no sender can influence them. */
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
