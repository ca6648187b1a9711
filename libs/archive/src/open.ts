import type { Archive } from './archive.ts';
import type { MongoAccess } from './mongodb/access.ts';
import { openEmbeddedArchive, type EmbeddedArchiveOptions } from './embedded/embedded-archive.ts';

export interface OpenArchiveOptions extends EmbeddedArchiveOptions {
  /** MongoDB; undefined: the embedded archive. */
  mongodbUrl?: string | undefined;
  /** Who asks MongoDB, and by which certificates. */
  mongodb?: MongoAccess | undefined;
  /** Gets why a changed file with a credential cannot be used. */
  onTrouble?: ((message: string) => void) | undefined;
  /** What the names of MongoDB's collections begin with; default: nothing, as those of users' events. */
  collectionPrefix?: string | undefined;
  /** Of the embedded archive. */
  folder: string;
  /** Opened beside the one that writes. */
  readOnly?: boolean | undefined;
}

/** The archive that the settings name. Rejects with ArchiveError when it cannot be reached, EngineAccessError when it refuses this client. */
export async function openArchive(options: OpenArchiveOptions): Promise<Archive> {
  const { mongodbUrl, mongodb, onTrouble, collectionPrefix, folder, readOnly = false } = options;
  if (mongodbUrl === undefined) return openEmbeddedArchive(folder, options);
  // The driver is loaded only here: embedded mode should not spend the time and memory.
  const { openMongoArchive } = await import('./mongodb/mongo-archive.ts');
  return openMongoArchive(mongodbUrl, { readOnly, access: mongodb, onTrouble, collectionPrefix });
}
