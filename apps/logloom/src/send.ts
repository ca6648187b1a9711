import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { CommandError, reason } from './endpoint.ts';

export interface SendOptions {
  /** The ingest port's base URL. */
  url: string;
  /** Called after each batch. */
  onProgress: (sent: SendResult) => void;
  signal?: AbortSignal;
}

export interface SendResult {
  accepted: number;
  rejected: number;
  /** The first reasons, for a person to read. */
  reasons: string[];
}

const batchLines = 2000;
const batchBytes = 1 << 20;
const maxReasons = 10;
const maxWaitMs = 10_000;

/** The lines of files (`-`: standard input; .gz and .zst are unpacked), one after the other. */
export async function* readLines(files: readonly string[]): AsyncGenerator<string> {
  for (const file of files) {
    const source: Readable = file === '-' ? process.stdin : createReadStream(file);
    const unpacked = file.endsWith('.gz')
      ? source.pipe(createGunzip())
      : file.endsWith('.zst')
        ? source.pipe(createZstdDecompress())
        : source;
    source.on('error', (error) => unpacked.destroy(error));
    yield* createInterface({ input: unpacked, crlfDelay: Infinity });
  }
}

/** Puts lines together into batches of up to 2,000 lines or 1 MiB; blank lines are left out, plain text becomes a message. */
export async function* inBatches(lines: AsyncIterable<string>, service: string): AsyncGenerator<string[]> {
  let batch: string[] = [];
  let bytes = 0;
  for await (const line of lines) {
    if (line.trim() === '') continue;
    const event = line.trimStart().startsWith('{') ? line : JSON.stringify({ message: line, service });
    batch.push(event);
    bytes += event.length;
    if (batch.length >= batchLines || bytes >= batchBytes) {
      yield batch;
      batch = [];
      bytes = 0;
    }
  }
  if (batch.length > 0) yield batch;
}

/**
 * Sends batches of JSON lines to `POST /ingest`, in order. A batch that got no answer is sent again under the same sequence numbers,
 * so a retry never makes a copy. Waits while the server is away; throws CommandError when it refuses for good.
 */
export async function sendBatches(
  batches: AsyncIterable<string[]>,
  options: SendOptions,
): Promise<SendResult> {
  const producer = randomBytes(9).toString('base64url');
  const total: SendResult = { accepted: 0, rejected: 0, reasons: [] };
  let sequence = 0;
  for await (const batch of batches) {
    const answer = await post(batch.join('\n'), producer, sequence, options);
    total.accepted += answer.accepted;
    total.rejected += answer.rejectedCount ?? answer.rejected.length;
    for (const { line, code, message } of answer.rejected) {
      if (total.reasons.length < maxReasons)
        total.reasons.push(`line ${sequence + line}: ${message} (${code})`);
    }
    sequence += batch.length;
    options.onProgress(total);
  }
  return total;
}

interface IngestAnswer {
  accepted: number;
  rejected: { line: number; code: string; message: string }[];
  rejectedCount?: number;
}

async function post(
  body: string,
  producer: string,
  sequence: number,
  { url, signal }: SendOptions,
): Promise<IngestAnswer> {
  for (let attempt = 0; ; attempt++) {
    let wait = Math.min(maxWaitMs, 100 * 2 ** attempt) * (0.5 + Math.random() / 2);
    try {
      const response = await fetch(new URL('/ingest', url), {
        method: 'POST',
        headers: {
          'content-type': 'application/x-ndjson',
          'logloom-producer': producer,
          'logloom-sequence': String(sequence),
        },
        body,
        ...(signal === undefined ? {} : { signal }),
      });
      const answer = (await response.json()) as IngestAnswer & { error?: { code: string; message: string } };
      // 400 with a list: every line was read and refused; that is an answer.
      if (response.ok || (response.status === 400 && Array.isArray(answer.rejected))) return answer;
      if (response.status !== 429 && response.status !== 503) {
        throw new CommandError(`${url} refused: ${answer.error?.message ?? response.statusText}`);
      }
      wait = Number(response.headers.get('retry-after') ?? 1) * 1000;
    } catch (error) {
      if (error instanceof CommandError || signal?.aborted === true) throw error;
      if (attempt === 0)
        process.stderr.write(`${url} is away (${reason(error)}); trying again until it is back\n`);
    }
    await sleep(wait, undefined, signal === undefined ? {} : { signal });
  }
}
