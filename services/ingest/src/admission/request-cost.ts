import { IngestError, RejectedError } from '../errors.ts';

/** The memory that an event of a request needs before it is read: its place, or a view of its bytes. */
export const pieceBytes = 128;
/** The memory of what a group of events shares, with the functions that read it. */
export const groupBytes = 1024;
const stepBytes = 64 * 1024;

/** Counts the memory that a request needs beside its body while it is read, so that nothing is created without room for it. */
export class RequestCost {
  readonly maxEvents: number;
  /** The largest size of what events share: each of them would hold it. */
  readonly maxSharedBytes: number;
  readonly #take: (bytes: number) => void;
  #events = 0;
  #owed = 0;

  /** `take` claims bytes of memory and throws where there is no room. */
  constructor(take: (bytes: number) => void, maxEvents: number, maxSharedBytes: number) {
    this.#take = take;
    this.maxEvents = maxEvents;
    this.maxSharedBytes = maxSharedBytes;
  }

  /** Returns the cost of one record of logs.raw, which must fit into `maxBytes`. It throws RejectedError `event-too-large`. */
  static ofRecord(maxEventBytes: number, maxBytes: number): RequestCost {
    let taken = 0;
    const take = (bytes: number): void => {
      taken += bytes;
      if (taken > maxBytes) throw new RejectedError('event-too-large', 'the record holds too many parts');
    };
    return new RequestCost(take, Infinity, maxEventBytes);
  }

  /** Counts `count` more events. Throws IngestError `too-many-events`. */
  events(count: number): void {
    this.#events += count;
    if (this.#events > this.maxEvents) throw tooManyEvents(this.maxEvents);
    this.add(count * pieceBytes);
  }

  /** Counts bytes of memory; they are claimed in steps. */
  add(bytes: number): void {
    this.#owed += bytes;
    if (this.#owed < stepBytes) return;
    this.#take(this.#owed);
    this.#owed = 0;
  }

  /** Throws RejectedError `event-too-large` when what events share makes each of them too large. */
  shared(bytes: number): void {
    if (bytes > this.maxSharedBytes)
      throw new RejectedError(
        'event-too-large',
        `the events share ${bytes} bytes: each of them would be too large`,
      );
  }
}

export function tooManyEvents(max: number): IngestError {
  return new IngestError('too-many-events', `the body holds more than ${max} events: send it in parts`);
}
