import type { Archive } from './archive.ts';
import { openMongoArchive } from './mongodb.ts';
import { openSqliteArchive } from './sqlite.ts';

export interface OpenArchiveOptions {
  /** MongoDB; undefined: the embedded archive. */
  mongodbUrl?: string | undefined;
  /** Of the embedded archive. */
  folder: string;
  /** Opened beside the one that writes. */
  readOnly?: boolean | undefined;
}

/** The archive that the settings ask for. Rejects with ArchiveError when it cannot be reached. */
export async function openArchive({
  mongodbUrl,
  folder,
  readOnly = false,
}: OpenArchiveOptions): Promise<Archive> {
  return mongodbUrl === undefined
    ? openSqliteArchive(folder, { readOnly })
    : await openMongoArchive(mongodbUrl, { readOnly });
}
