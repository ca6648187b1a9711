import { IngestError, reject, RejectedError } from '../errors.ts';

/** What an event of a request costs in memory before it is read: its place, or a view of its bytes. */
export const pieceBytes = 128;
/** What events have in common, with the functions that read them. */
export const groupBytes = 1024;
const stepBytes = 64 * 1024;

/** Counts what a request costs beside its body, as it is taken apart: so nothing is made that has no room. */
export class RequestCost {
  readonly maxEvents: number;
  /** What events share may be so large; each of them would hold it. */
  readonly maxSharedBytes: number;
  readonly #take: (bytes: number) => void;
  #events = 0;
  #owed = 0;

  /** `take` claims bytes of memory; it throws where there is no room. */
  constructor(take: (bytes: number) => void, maxEvents: number, maxSharedBytes: number) {
    this.#take = take;
    this.maxEvents = maxEvents;
    this.maxSharedBytes = maxSharedBytes;
  }

  /** That of one record of logs.raw, which has to fit into a multiple of its largest size. Throws RejectedError `event-too-large`. */
  static ofRecord(maxEventBytes: number, maxBytes: number): RequestCost {
    let taken = 0;
    const take = (bytes: number): void => {
      taken += bytes;
      if (taken > maxBytes)
        throw new RejectedError(reject('event-too-large', 'the record holds too many parts to be read'));
    };
    return new RequestCost(take, Infinity, maxEventBytes);
  }

  /** Counts so many more events. Throws IngestError `too-many-events`. */
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

  /** Throws RejectedError `event-too-large` where what events share makes each of them too large. */
  shared(bytes: number): void {
    if (bytes > this.maxSharedBytes)
      throw new RejectedError(
        reject('event-too-large', `the events share ${bytes} bytes: none of them would fit`),
      );
  }
}

export function tooManyEvents(max: number): IngestError {
  return new IngestError('too-many-events', `the body holds more than ${max} events: send it in parts`);
}
