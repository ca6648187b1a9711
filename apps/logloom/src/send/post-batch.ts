import { backfillHeader } from '@logloom/schemas';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from '../commands/command-errors.ts';
import { reason, refused } from '../commands/endpoint.ts';

/** The response to `POST /ingest`. */
export interface IngestAnswer {
  accepted: number;
  rejected: { line: number; code: string; message: string }[];
  rejectedCount?: number;
  /** Numbered events that were durable already. */
  duplicates?: number;
}

export interface PostOptions {
  /** The ingest port's base URL. */
  url: string;
  /** For a Logloom that requires one. */
  key?: string | undefined;
  producer: string;
  /** The number of the body's first line. */
  sequence: number;
  /** Whether the lines are a backfill. */
  isBackfill?: boolean;
  /** Of times without a zone in structured events. */
  timezone?: string | undefined;
  /** Ends the wait for an unreachable server. */
  signal?: AbortSignal | undefined;
}

const maxWaitMs = 10_000;

/**
 * Sends lines to `POST /ingest` until there is a response. It waits for an unreachable or overloaded server, longer each time; the numbers
 * prevent duplicates by retries. Throws CommandError when the server refuses for good, and the signal's reason when it aborts.
 */
export async function postBatch(body: string | Buffer, options: PostOptions): Promise<IngestAnswer> {
  const { url, key, producer, sequence, isBackfill, timezone, signal } = options;
  const cancel = signal === undefined ? {} : { signal };
  for (let attempt = 0; ; attempt++) {
    let wait = Math.min(maxWaitMs, 100 * 2 ** attempt) * (0.5 + Math.random() / 2);
    try {
      const response = await fetch(new URL('/ingest', url), {
        method: 'POST',
        headers: {
          ...(key !== undefined && { authorization: `Bearer ${key}` }),
          'content-type': 'application/x-ndjson',
          'logloom-producer': producer,
          'logloom-sequence': String(sequence),
          ...(timezone !== undefined && { 'logloom-time-zone': timezone }),
          ...(isBackfill === true && { [backfillHeader]: 'true' }),
        },
        body: body as string | Buffer<ArrayBuffer>,
        ...cancel,
      });
      const answer = (await response.json()) as IngestAnswer & { error?: { code: string; message: string } };
      // 400 with a list: every line was read and rejected, which is a regular response.
      if (response.ok || (response.status === 400 && Array.isArray(answer.rejected))) return answer;
      if (response.status !== 429 && response.status !== 503) {
        const { code, message = response.statusText } = answer.error ?? {};
        throw refused({ code, message: `${url} refused: ${message}` });
      }
      wait = Math.max(wait, Number(response.headers.get('retry-after') ?? 1) * 1000);
    } catch (error) {
      if (error instanceof CommandError || signal?.aborted === true) throw error;
      if (attempt === 0) process.stderr.write(`${url} is unreachable (${reason(error)}); retrying\n`);
    }
    await sleep(wait, undefined, cancel);
  }
}
