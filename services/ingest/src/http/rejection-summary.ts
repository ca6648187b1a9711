import type { LogEvent } from '@logloom/schemas';
import type { Rejection } from '../errors.ts';

/** Counts a request's events, for protocols whose response has one text for all rejected ones. */
export class RejectionSummary {
  /** The number of events that are durable since an earlier request. */
  duplicates = 0;
  #accepted = 0;
  #rejected = 0;
  readonly #byCode = new Map<string, { count: number; first: number; message: string }>();

  /** Counts the next event. */
  count(result: LogEvent | Rejection): void {
    if (!('code' in result)) {
      this.#accepted++;
      return;
    }
    const seen = this.#byCode.get(result.code);
    const number = this.#accepted + this.duplicates + ++this.#rejected;
    if (seen) seen.count++;
    else this.#byCode.set(result.code, { count: 1, first: number, message: result.message });
  }

  /** Returns the counts, and each reason with the number of the first event that was rejected for it, counted from 1. */
  receipt(): { accepted: number; rejected: number; duplicates: number; reason: string } {
    const reasons = Array.from(
      this.#byCode,
      ([code, { count, first, message }]) => `${code} (${count}, the first is number ${first}): ${message}`,
    );
    return {
      accepted: this.#accepted,
      rejected: this.#rejected,
      duplicates: this.duplicates,
      reason: reasons.join('; '),
    };
  }
}
