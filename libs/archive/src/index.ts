export { ArchiveError, type Archive, type ByCorrelationOptions, type ScanQuery } from './archive.ts';
export { openMongoArchive, type MongoArchive, type MongoArchiveOptions } from './mongodb.ts';
export type { MongoScanQuery } from './mongodb-scan.ts';
export { openArchive, type OpenArchiveOptions } from './open.ts';
export { openSqliteArchive } from './sqlite.ts';
