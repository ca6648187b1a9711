import { randomBytes } from 'node:crypto';
import { postBatch } from './post-batch.ts';
import { addAnswer, type SendResult } from './send-result.ts';

export type { SendResult } from './send-result.ts';

export interface SendOptions {
  /** The ingest port's base URL. */
  url: string;
  /** For a Logloom that requires one. */
  key?: string | undefined;
  /** Called after each batch. */
  onProgress: (sent: SendResult) => void;
  signal?: AbortSignal;
}

/**
 * Sends batches of JSON lines to `POST /ingest`, in order. A batch without a response is resent under the same sequence numbers, so a retry
 * never makes a duplicate. Waits while the server is unreachable; throws CommandError when it refuses for good.
 */
export async function sendBatches(
  batches: AsyncIterable<string[]>,
  { url, key, onProgress, signal }: SendOptions,
): Promise<SendResult> {
  const producer = randomBytes(9).toString('base64url');
  const total: SendResult = { accepted: 0, rejected: 0, reasons: [] };
  let sequence = 0;
  for await (const batch of batches) {
    addAnswer(total, await postBatch(batch.join('\n'), { url, key, producer, sequence, signal }), sequence);
    sequence += batch.length;
    onProgress(total);
  }
  return total;
}
