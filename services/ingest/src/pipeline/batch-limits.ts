import type { MemoryClaim } from '../admission/memory-budget.ts';

const maxRejected = 10_000;
/** How much larger than what was received its dead letters may be. */
export const deadLetterSlackBytes = 64 * 1024;

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

/** For what a sender sent: so many bytes, for which memory is claimed. */
export function sentLimits(
  { bytes, windowBytes, maxEventBytes }: { bytes: number; windowBytes: number; maxEventBytes: number },
  claim: MemoryClaim,
): BatchLimits {
  return {
    windowBytes,
    deadLetterBytes: bytes + deadLetterSlackBytes,
    maxRejected,
    maxDeadLetterBytes: Math.min(2 ** 20, maxEventBytes),
    hold: (held) => claim.takeParts(held),
  };
}

/** For input whose size is bounded already. */
export const ampleLimits: BatchLimits = {
  windowBytes: 8 * 2 ** 20,
  deadLetterBytes: Infinity,
  maxDeadLetterBytes: 2 ** 20,
  maxRejected: Infinity,
  hold: () => {},
};
