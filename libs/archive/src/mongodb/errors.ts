import {
  MongoBulkWriteError,
  MongoError,
  MongoErrorLabel,
  MongoNetworkError,
  MongoServerSelectionError,
  type OneOrMore,
  type WriteError,
} from 'mongodb';
import { setTimeout as sleep } from 'node:timers/promises';
import { ArchiveError } from '../archive.ts';
import { accessFault } from './access.ts';

export const duplicateKey = 11_000;

/** Codes of the server after which the same call may succeed: elections, shutdowns, moving chunks, timeouts, busy locks. */
const retriableCodes = new Set([
  6, 7, 24, 46, 63, 64, 75, 79, 89, 91, 100, 112, 117, 133, 134, 150, 189, 202, 234, 262, 317, 358, 402, 9001,
  10_107, 11_600, 11_602, 13_388, 13_435, 13_436,
]);

/** The driver does not wrap some errors of its sockets. */
const socketCodes = new Set([
  'EPIPE',
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

const attempts = 5;
const firstWaitMs = 50;

/**
 * Runs the work, and repeats it with growing waits after a transient failure. If it keeps failing, or MongoDB refuses this client, throws
 * ArchiveError; any other error is thrown unchanged.
 */
export async function withRetries<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (cause) {
      // It may be mended meanwhile, on either side.
      const fault = accessFault(cause);
      if (fault !== undefined) throw new ArchiveError(`MongoDB (MONGODB_URL): ${fault}`, { cause });
      if (!isRetriable(cause)) throw cause;
      // Server selection has already waited long enough.
      if (attempt === attempts || cause instanceof MongoServerSelectionError)
        throw new ArchiveError(`MongoDB (MONGODB_URL): ${(cause as Error).message}`, { cause });
      const wait = firstWaitMs * 2 ** attempt;
      await sleep(wait / 2 + (Math.random() * wait) / 2);
    }
  }
}

/** Waits for a write in which documents may be refused as duplicates: returns the refused ones' positions. Other errors are thrown. */
export async function exceptDuplicates(write: Promise<unknown>): Promise<number[]> {
  try {
    await write;
    return [];
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError)) throw error;
    const refused = listOf(error.writeErrors);
    // Beside the duplicates, the rest may not have reached the majority.
    const unsafe = error.result.getWriteConcernError();
    if (refused.length === 0 || unsafe !== undefined) throw error;
    if (refused.some(({ code }) => code !== duplicateKey)) throw error;
    return refused.map(({ index }) => index);
  }
}

function isRetriable(error: unknown): boolean {
  if (error instanceof MongoNetworkError || error instanceof MongoServerSelectionError) return true;
  if (!(error instanceof MongoError)) return socketCodes.has(String((error as { code?: unknown }).code));
  if (
    error.hasErrorLabel(MongoErrorLabel.RetryableWriteError) ||
    error.hasErrorLabel(MongoErrorLabel.RetryableError)
  )
    return true;
  if (error instanceof MongoBulkWriteError) {
    // The error that ended the whole bulk, before there was an answer.
    const ended: unknown = error.errorResponse;
    if (ended instanceof Error) return isRetriable(ended);
    const codes = listOf(error.writeErrors).map(({ code }) => code);
    const unsafe = error.result.getWriteConcernError()?.code;
    if (unsafe !== undefined) codes.push(unsafe);
    return codes.length > 0 && codes.every((code) => code === duplicateKey || retriableCodes.has(code));
  }
  return typeof error.code === 'number' && retriableCodes.has(error.code);
}

function listOf(errors: OneOrMore<WriteError>): readonly WriteError[] {
  return [errors].flat<(WriteError | readonly WriteError[])[]>();
}
