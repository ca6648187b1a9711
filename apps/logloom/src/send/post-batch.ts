import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError, reason } from '../endpoint.ts';

/** What `POST /ingest` answers. */
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
  /** For a Logloom that asks for one. */
  key?: string | undefined;
  producer: string;
  /** The number of the body's first line. */
  sequence: number;
  /** Ends the waiting for a server that is away. */
  signal?: AbortSignal | undefined;
}

const maxWaitMs = 10_000;

/**
 * Sends lines to `POST /ingest` until they are answered: a server that is away or overloaded is waited for, longer each time, and the
 * numbers keep a retry from making duplicates. Throws CommandError when it refuses for good, the signal's reason when it aborts.
 */
export async function postBatch(body: string | Buffer, options: PostOptions): Promise<IngestAnswer> {
  const { url, key, producer, sequence, signal } = options;
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
        },
        body: body as string | Buffer<ArrayBuffer>,
        ...cancel,
      });
      const answer = (await response.json()) as IngestAnswer & { error?: { code: string; message: string } };
      // 400 with a list: every line was read and refused; that is an answer.
      if (response.ok || (response.status === 400 && Array.isArray(answer.rejected))) return answer;
      if (response.status !== 429 && response.status !== 503)
        throw new CommandError(`${url} refused: ${answer.error?.message ?? response.statusText}`);
      wait = Math.max(wait, Number(response.headers.get('retry-after') ?? 1) * 1000);
    } catch (error) {
      if (error instanceof CommandError || signal?.aborted === true) throw error;
      if (attempt === 0)
        process.stderr.write(`${url} is away (${reason(error)}); trying again until it is back\n`);
    }
    await sleep(wait, undefined, cancel);
  }
}
