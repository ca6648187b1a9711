import { CodedError, requestErrors } from '@logloom/errors';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long (ms) who waits patiently lets a full queue alone. */
const askAgainMs = 500;

export interface AdmissionQueueOptions {
  /** Pieces of work that are done at once. */
  atOnce: number;
  /** Of one principal. Less than `atOnce`, so that no single principal takes all slots. */
  atOncePerPrincipal: number;
  /** Pieces of work of one principal that may wait. */
  waitingPerPrincipal: number;
  /** Pieces of work of all principals that may wait. */
  waiting: number;
  /** Bytes of responses that are not sent yet, of all principals; one principal may have half of them. */
  unsentBytes: number;
}

/** The right to one piece of work. */
export interface AdmissionSlot {
  /** The work is done; its response of `bytes` bytes is being sent. */
  done(responseBytes?: number): void;
  /** The response has been sent, or its client is gone. */
  sent(): void;
}

interface Waiting {
  start: () => void;
}

interface PrincipalLoad {
  running: number;
  unsent: number;
  waiting: Waiting[];
}

/** The queue is full: for this principal, or for all. */
export class QueueFullError extends CodedError<'too-many-requests'> {
  readonly retryAfterSeconds = 1;
  constructor() {
    super(requestErrors, 'too-many-requests');
  }
}

/**
 * Admission control: a few pieces of work run at once, the principals take turns. A principal with twenty pieces delays another's one by
 * no more than the piece that is running. What waits, and what is not sent yet, is bounded.
 */
export class AdmissionQueue {
  readonly counts = { started: 0, refused: 0, cancelled: 0 };
  readonly #options: AdmissionQueueOptions;
  /** The principals with work; the first one is served next. */
  readonly #principals = new Map<string, PrincipalLoad>();
  #running = 0;
  #waiting = 0;
  #unsent = 0;

  constructor(options: AdmissionQueueOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Bytes of responses that are not sent yet, and how many may be. */
  get unsentBytes(): number {
    return this.#unsent;
  }

  get unsentLimitBytes(): number {
    return this.#options.unsentBytes;
  }

  /**
   * Resolves when the principal gets a slot. Rejects with QueueFullError at once when the queue is full, and with the signal's reason when
   * it aborts before that: work whose client is gone never starts.
   */
  async enter(name: string, signal: AbortSignal): Promise<AdmissionSlot> {
    const { atOnce, atOncePerPrincipal, waitingPerPrincipal, waiting, unsentBytes } = this.#options;
    signal.throwIfAborted();
    const principal = this.#principals.get(name) ?? { running: 0, unsent: 0, waiting: [] };
    const mustWait = this.#running >= atOnce || principal.running >= atOncePerPrincipal;
    if (
      (mustWait && (principal.waiting.length >= waitingPerPrincipal || this.#waiting >= waiting)) ||
      principal.unsent > unsentBytes / 2 ||
      this.#unsent > unsentBytes
    ) {
      this.counts.refused++;
      throw new QueueFullError();
    }
    this.#principals.set(name, principal);
    if (mustWait) await this.#wait(name, principal, signal);
    else this.#begin(principal);
    return this.#slot(name, principal);
  }

  /** As enter(), but where the queue is full it asks again: for the rest of a response that has begun. */
  async enterPatiently(name: string, signal: AbortSignal): Promise<AdmissionSlot> {
    for (;;) {
      try {
        return await this.enter(name, signal);
      } catch (error) {
        if (!(error instanceof QueueFullError)) throw error;
        await sleep(askAgainMs, undefined, { signal });
      }
    }
  }

  #wait(name: string, principal: PrincipalLoad, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        principal.waiting.splice(principal.waiting.indexOf(waiting), 1);
        this.#waiting--;
        this.counts.cancelled++;
        this.#forget(name, principal);
        reject(signal.reason as Error);
      };
      const waiting = {
        start: () => {
          signal.removeEventListener('abort', leave);
          this.#waiting--;
          this.#begin(principal);
          resolve();
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      principal.waiting.push(waiting);
      this.#waiting++;
    });
  }

  #begin(principal: PrincipalLoad): void {
    principal.running++;
    this.#running++;
    this.counts.started++;
  }

  #slot(name: string, principal: PrincipalLoad): AdmissionSlot {
    let isDone = false;
    let unsent = 0;
    const done = (bytes = 0): void => {
      if (isDone) return;
      isDone = true;
      unsent = bytes;
      principal.unsent += bytes;
      this.#unsent += bytes;
      principal.running--;
      this.#running--;
      this.#next();
      this.#forget(name, principal);
    };
    return {
      done,
      sent: () => {
        done();
        principal.unsent -= unsent;
        this.#unsent -= unsent;
        unsent = 0;
        this.#forget(name, principal);
      },
    };
  }

  /** Starts what may start, beginning with the principal that was served longest ago. */
  #next(): void {
    const { atOnce, atOncePerPrincipal } = this.#options;
    while (this.#running < atOnce && this.#waiting > 0) {
      const found = this.#firstReady(atOncePerPrincipal);
      if (found === undefined) return;
      const [name, principal] = found;
      // Moves it to the end of the queue.
      this.#principals.delete(name);
      this.#principals.set(name, principal);
      principal.waiting.shift()!.start();
    }
  }

  #firstReady(atOncePerPrincipal: number): [string, PrincipalLoad] | undefined {
    for (const entry of this.#principals)
      if (entry[1].waiting.length > 0 && entry[1].running < atOncePerPrincipal) return entry;
    return undefined;
  }

  #forget(name: string, principal: PrincipalLoad): void {
    if (principal.running === 0 && principal.unsent === 0 && principal.waiting.length === 0)
      this.#principals.delete(name);
  }
}
