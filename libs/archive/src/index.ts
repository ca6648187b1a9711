export { archiveErrors } from './errors.ts';
export {
  ArchiveError,
  type Archive,
  type ByCorrelationOptions,
  type Place,
  type ScanQuery,
} from './archive.ts';
export { openArchive, type OpenArchiveOptions } from './open.ts';
export { openEmbeddedArchive } from './embedded/embedded-archive.ts';
export { mongodbOf } from './settings.ts';
export type { MongoAccess } from './mongodb/access.ts';
