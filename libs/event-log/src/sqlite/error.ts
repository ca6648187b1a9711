import { isDamaged, nameFile, resultCode, storageTrouble } from '@logloom/sqlite';
import { EventLogError } from '../event-log.ts';

const passing: ReadonlySet<number> = new Set([
  5 /* busy */, 6 /* locked */, 10 /* I/O error */, 13 /* disk full */,
]);

/**
 * SQLite's error in the port's terms, naming the file: `disk-full` and `read-only`, `log-unavailable` where the same call may succeed
 * later, `log-damaged` where the file is not what was written, `unknown-topic` where another thread has deleted the topic; anything else
 * unchanged. Source of the codes: sqlite.org/rescode.html.
 */
export function asEventLogError(error: unknown, topic: string, path?: string): unknown {
  if (path !== undefined) nameFile(error, path);
  const code = resultCode(error);
  if (code === undefined) return error;
  const { message } = error as Error;
  const trouble = storageTrouble(error);
  if (trouble !== undefined) return new EventLogError(trouble, message, { cause: error });
  if (passing.has(code))
    return new EventLogError('log-unavailable', `${topic}: ${message}`, { cause: error });
  if (isDamaged(error)) return new EventLogError('log-damaged', `${topic}: ${message}`, { cause: error });
  if (message.includes('no such table'))
    return new EventLogError('unknown-topic', `the topic ${topic} was deleted`, { cause: error });
  return error;
}
