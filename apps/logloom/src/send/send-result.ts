import type { IngestAnswer } from './post-batch.ts';

/** What became of all lines that were sent. */
export interface SendResult {
  /** Those that are durable, also since an earlier try whose answer was lost. */
  accepted: number;
  rejected: number;
  /** The first reasons, for a person to read. */
  reasons: string[];
}

const maxReasons = 10;

/** Adds an answer to the total; `sequence` is the number of its first line. */
export function addAnswer(total: SendResult, answer: IngestAnswer, sequence: number): void {
  total.accepted += answer.accepted + (answer.duplicates ?? 0);
  total.rejected += answer.rejectedCount ?? answer.rejected.length;
  for (const { line, code, message } of answer.rejected)
    if (total.reasons.length < maxReasons)
      total.reasons.push(`line ${sequence + line}: ${message} (${code})`);
}
