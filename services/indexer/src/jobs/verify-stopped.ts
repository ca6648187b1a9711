import { mongodbOf, openArchive } from '@logloom/archive';
import { checkSlices } from '@logloom/column-store';
import { EventLogError, lockDataFolder, SqliteEventLog } from '@logloom/event-log';
import { createSerde, openSchemaRegistry, schemaRegistryOf } from '@logloom/schema-registry';
import { elasticsearchOf, openSearchStore } from '@logloom/search-store';
import type { Settings } from '../settings.ts';
import { checkFile } from '@logloom/sqlite';
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { storesFolder } from '../run-indexer.ts';
import { ExchangeLock } from './exchange-lock.ts';
import { verifyViews, type VerifyResult, type ViewName } from './verify-views.ts';

/** The problems of a stopped deployment. */
export interface StoppedReport extends VerifyResult {
  /** Damaged files of the data folder, and their faults; `views` is empty if the damage prevents reading them. */
  files: { file: string; faults: string[] }[];
}

/**
 * Compares the views of a stopped deployment on the embedded log with that log, up to what the indexer has committed, and the log with its
 * checksums, its acknowledged ends and its commits. Changes nothing. Throws EventLogError `data-in-use` while a process uses the data
 * folder, and `log-unavailable` if there is no embedded log.
 */
export async function verifyStopped(
  settings: Settings,
  view: ViewName | undefined,
  signal: AbortSignal,
): Promise<StoppedReport> {
  const { LOGLOOM_DATA: folder } = settings;
  const logFolder = join(folder, 'log');
  if (settings.KAFKA_BROKERS !== undefined)
    throw new EventLogError(
      'log-unavailable',
      'KAFKA_BROKERS is set: the log is on brokers, and the indexer compares it (without --offline)',
    );
  if (!existsSync(logFolder))
    throw new EventLogError('log-unavailable', `LOGLOOM_DATA=${folder}: there is no log`);
  using owned = new DisposableStack();
  owned.use(lockDataFolder(folder));
  const files = checkFiles(folder, ['log', 'stores', 'jobs']);
  if (files.length === 0)
    for (const { file, fault } of await checkSlices(storesFolder(folder)))
      files.push({ file: relative(folder, file), faults: [fault] });
  const log = new SqliteEventLog(logFolder);
  try {
    const { damaged, unreadable } = await log.check(signal);
    for (const path of unreadable) {
      const file = relative(folder, path);
      if (!files.some((other) => other.file === file)) files.push({ file, faults: ['it cannot be read'] });
    }
    const views = files.length > 0 ? [] : (await compareViews(settings, log, view, signal)).views;
    const complete =
      damaged.length === 0 && files.length === 0 && views.every(({ missing }) => missing === 0);
    return { complete, views, damaged, files };
  } finally {
    await log.close();
  }
}

async function compareViews(
  settings: Settings,
  log: SqliteEventLog,
  view: ViewName | undefined,
  signal: AbortSignal,
): Promise<VerifyResult> {
  await using cleanUp = new AsyncDisposableStack();
  const registry = cleanUp.adopt(await openSchemaRegistry(schemaRegistryOf(settings)), (r) => r.close());
  const folder = storesFolder(settings.LOGLOOM_DATA);
  const search = cleanUp.adopt(
    await openSearchStore({ ...elasticsearchOf(settings), folder, readOnly: true }),
    (store) => store.close(),
  );
  const archive = cleanUp.adopt(
    await openArchive({ ...mongodbOf(settings), folder, readOnly: true }),
    (store) => store.close(),
  );
  const deps = {
    log,
    search,
    archive,
    settings,
    nowMs: Date.now,
    exchangeLock: new ExchangeLock(),
    serde: await createSerde(registry),
    logger: { info: () => {}, warn: () => {}, error: () => {} },
    metrics: { missingItems: { set: () => {} } },
  };
  return await verifyViews(deps, { refill: false, view, withoutChecksums: true }, signal, async () => {});
}

/** The damaged ones of the databases in these folders. */
function checkFiles(folder: string, names: readonly string[]): StoppedReport['files'] {
  return names
    .map((name) => join(folder, name))
    .filter((path) => existsSync(path))
    .flatMap((path) =>
      readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name)),
    )
    .filter((path) => path.endsWith('.db'))
    .map((path) => ({ file: relative(folder, path), faults: checkFile(path) }))
    .filter(({ faults }) => faults.length > 0);
}
