import type { LiveErrorCode } from '../errors.ts';

/** Counts of a live tier that belong to no stream. Their keys are error codes: few. */
export class LiveCounts {
  readonly refusals = new Map<LiveErrorCode, number>();
  readonly errors = new Map<LiveErrorCode, number>();
  /** Viewers that an operator has sent away. */
  ended = 0;

  /** A viewer, or a request of one, was refused. */
  refused(code: LiveErrorCode): void {
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
  }

  /** A connected viewer was told of an error. */
  told(code: LiveErrorCode): void {
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
  }
}
