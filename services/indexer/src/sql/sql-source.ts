import type { ReadView } from '@logloom/column-store';
import { sqlLiteral } from '@logloom/filter';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { SqlJob } from './sql-job.ts';

export type SqlTables = Pick<
  SqlJob,
  'events' | 'requests' | 'files' | 'recentEvents' | 'recentRequests' | 'temporaryFolder'
>;

/** The embedded store, for SQL. */
export interface SqlSource {
  /** Where its files are; folders for statements are made in it. */
  folder: string;
  read: <T>(work: (view: ReadView) => Promise<T>) => Promise<T>;
}

/**
 * The tables as they are now: relations over the store's files, and what is in none yet, written to files of the statement's own folder.
 * `release` removes that.
 */
export async function sqlTables({ folder, read }: SqlSource): Promise<SqlTables & { release: () => void }> {
  // Absolute: the statement's process works in the folder itself.
  const parent = resolve(folder, 'tmp');
  mkdirSync(parent, { recursive: true });
  const temporaryFolder = mkdtempSync(join(parent, 'sql-'));
  const release = (): void => rmSync(temporaryFolder, { recursive: true, force: true });
  try {
    const tables = await read(async (view) => {
      const only = (): boolean => false;
      const recentEvents = join(temporaryFolder, 'events');
      const recentRequests = join(temporaryFolder, 'requests');
      await view.rows(copyTo(recentEvents, view.events({ only })));
      await view.rows(copyTo(recentRequests, view.requests({ only })));
      const recent = false;
      return {
        events: view.slices.length === 0 ? undefined : view.events({ recent }),
        requests: view.requestSlices.length === 0 ? undefined : view.requests({ recent }),
        files: [...view.slices, ...view.requestSlices].map((slice) => view.besideSlice(slice, 'parquet')),
        recentEvents,
        recentRequests,
      };
    });
    return { ...tables, temporaryFolder, release };
  } catch (error) {
    release();
    throw error;
  }
}

function copyTo(file: string, relation: string): string {
  return `COPY (SELECT * FROM ${relation}) TO ${sqlLiteral(file)} (FORMAT parquet)`;
}
