import type { IngestAnswer } from './post-batch.ts';

/** The result for all lines that were sent. */
export interface SendResult {
  /** Durable lines, including those of an earlier attempt whose response was lost. */
  accepted: number;
  rejected: number;
  /** The first reasons, in words. */
  reasons: string[];
  /** Packed files of which only a part could be read. */
  damaged?: string[];
}

const maxReasons = 10;

/** Adds a response to the total; `sequence` is the number of its first line. */
export function addAnswer(total: SendResult, answer: IngestAnswer, sequence: number): void {
  total.accepted += answer.accepted + (answer.duplicates ?? 0);
  total.rejected += answer.rejectedCount ?? answer.rejected.length;
  for (const { line, code, message } of answer.rejected)
    if (total.reasons.length < maxReasons)
      total.reasons.push(`line ${sequence + line}: ${message} (${code})`);
}
