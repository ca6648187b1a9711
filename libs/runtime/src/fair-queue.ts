import { CodedError, requestErrors } from '@logloom/errors';

export interface FairQueueOptions {
  /** Pieces of work that are done at once. */
  atOnce: number;
  /** Of one holder. Less than `atOnce`, so that no single holder has all of it. */
  atOncePerHolder: number;
  /** Pieces of one holder that may wait. */
  waitingPerHolder: number;
  /** Of all holders together. */
  waiting: number;
  /** Bytes of answers that are not sent yet, of all holders; one holder may have half of them. */
  unsentBytes: number;
}

/** A place at work. */
export interface Turn {
  /** The work is done; its answer of so many bytes is on its way. */
  done(answerBytes?: number): void;
  /** The answer has been sent, or nobody is there to take it. */
  sent(): void;
}

interface Waiting {
  start: () => void;
}

interface Holder {
  running: number;
  unsent: number;
  waiting: Waiting[];
}

/** Too much is waiting already: of this holder, or in all. */
export class QueueFullError extends CodedError<'too-many-requests'> {
  readonly retryAfterSeconds = 1;
  constructor() {
    super(requestErrors, 'too-many-requests');
  }
}

/**
 * Lets work be done a few pieces at once, by turns of who asked for it: a holder with twenty pieces delays another's one by no more than
 * the one that is being done. What waits, and what waits to be sent, is bounded.
 */
export class FairQueue {
  readonly counts = { started: 0, refused: 0, cancelled: 0 };
  readonly #options: FairQueueOptions;
  /** Those with work; the one whose turn is next stands first. */
  readonly #holders = new Map<string, Holder>();
  #running = 0;
  #waiting = 0;
  #unsent = 0;

  constructor(options: FairQueueOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Resolves when it is this holder's turn. Rejects with QueueFullError at once when too much waits, with the signal's reason when it
   * aborts before the turn has come: what waits for nobody is never begun.
   */
  async enter(name: string, signal: AbortSignal): Promise<Turn> {
    const { atOnce, atOncePerHolder, waitingPerHolder, waiting, unsentBytes } = this.#options;
    signal.throwIfAborted();
    const holder = this.#holders.get(name) ?? { running: 0, unsent: 0, waiting: [] };
    const mustWait = this.#running >= atOnce || holder.running >= atOncePerHolder;
    if (
      (mustWait && (holder.waiting.length >= waitingPerHolder || this.#waiting >= waiting)) ||
      holder.unsent > unsentBytes / 2 ||
      this.#unsent > unsentBytes
    ) {
      this.counts.refused++;
      throw new QueueFullError();
    }
    this.#holders.set(name, holder);
    if (mustWait) await this.#wait(name, holder, signal);
    else this.#begin(holder);
    return this.#turn(name, holder);
  }

  #wait(name: string, holder: Holder, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        holder.waiting.splice(holder.waiting.indexOf(waiting), 1);
        this.#waiting--;
        this.counts.cancelled++;
        this.#forget(name, holder);
        reject(signal.reason as Error);
      };
      const waiting = {
        start: () => {
          signal.removeEventListener('abort', leave);
          this.#waiting--;
          this.#begin(holder);
          resolve();
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      holder.waiting.push(waiting);
      this.#waiting++;
    });
  }

  #begin(holder: Holder): void {
    holder.running++;
    this.#running++;
    this.counts.started++;
  }

  #turn(name: string, holder: Holder): Turn {
    let isDone = false;
    let unsent = 0;
    const done = (bytes = 0): void => {
      if (isDone) return;
      isDone = true;
      unsent = bytes;
      holder.unsent += bytes;
      this.#unsent += bytes;
      holder.running--;
      this.#running--;
      this.#next();
      this.#forget(name, holder);
    };
    return {
      done,
      sent: () => {
        done();
        holder.unsent -= unsent;
        this.#unsent -= unsent;
        unsent = 0;
        this.#forget(name, holder);
      },
    };
  }

  /** Starts what may begin, of the holder who has waited longest for a turn first. */
  #next(): void {
    const { atOnce, atOncePerHolder } = this.#options;
    while (this.#running < atOnce && this.#waiting > 0) {
      const found = this.#firstReady(atOncePerHolder);
      if (found === undefined) return;
      const [name, holder] = found;
      // To the end of the line.
      this.#holders.delete(name);
      this.#holders.set(name, holder);
      holder.waiting.shift()!.start();
    }
  }

  #firstReady(atOncePerHolder: number): [string, Holder] | undefined {
    for (const entry of this.#holders)
      if (entry[1].waiting.length > 0 && entry[1].running < atOncePerHolder) return entry;
    return undefined;
  }

  #forget(name: string, holder: Holder): void {
    if (holder.running === 0 && holder.unsent === 0 && holder.waiting.length === 0)
      this.#holders.delete(name);
  }
}
