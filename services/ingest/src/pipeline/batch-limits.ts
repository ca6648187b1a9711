/** What a batch may hold in memory and store. */
export interface BatchLimits {
  /** Bytes of records that are not durable yet. */
  windowBytes: number;
  /**
   * Bytes of refused events that have dead letters of their own, and bytes that these add. Events refused beyond that share dead
   * letters.
   */
  deadLetterBytes: number;
  /** The largest dead letter that refused events share. */
  maxDeadLetterBytes: number;
  /** Events that may be refused; the reader skips those that follow. */
  maxRejected: number;
  /** Claims bytes that the batch holds until it has been read to its end. Throws where there is no room. */
  hold: (bytes: number) => void;
}

/** For input whose size is bounded already. */
export const ampleLimits: BatchLimits = {
  windowBytes: 8 * 2 ** 20,
  deadLetterBytes: Infinity,
  maxDeadLetterBytes: 2 ** 20,
  maxRejected: Infinity,
  hold: () => {},
};
