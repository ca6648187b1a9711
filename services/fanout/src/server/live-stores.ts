import { mongodbOf, openArchive, type Archive } from '@logloom/archive';
import { openJobRecords, redisOf, type JobRecords } from '@logloom/job-queue';
import type { Settings } from '../settings.ts';
import type { Logger } from '@logloom/telemetry';
import { join } from 'node:path';

/** The stores that the live tier uses beside the log. Each is opened at its first use: most viewers need neither. */
export interface LiveStores {
  /** Events that have left the log. */
  archive: () => Promise<Archive>;
  /** The cursors of durable subscriptions. */
  records: () => Promise<JobRecords>;
}

/** Returns the stores that the settings name. If opening fails, it is retried at the next use. */
export function openLiveStores(
  settings: Settings,
  logger?: Pick<Logger, 'warn'>,
): LiveStores & AsyncDisposable {
  const { LOGLOOM_DATA } = settings;
  const onTrouble = (message: string): void => logger?.warn(message);
  const archive = lazily(() =>
    openArchive({
      ...mongodbOf(settings),
      onTrouble,
      folder: join(LOGLOOM_DATA, 'stores'),
      readOnly: true,
      memoryBytes: settings.STORE_MEMORY_BYTES,
    }),
  );
  const records = lazily(() =>
    openJobRecords({
      ...redisOf(settings),
      folder: join(LOGLOOM_DATA, 'jobs'),
      onTrouble,
    }),
  );
  return {
    archive: archive.get,
    records: records.get,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([archive.close(), records.close()]);
    },
  };
}

function lazily<T extends { close(): Promise<void> }>(
  open: () => Promise<T>,
): { get: () => Promise<T>; close: () => Promise<void> } {
  let opening: Promise<T> | undefined;
  return {
    get: () => {
      opening ??= open();
      opening.catch(() => (opening = undefined));
      return opening;
    },
    close: async () => (await opening?.catch(() => undefined))?.close(),
  };
}
