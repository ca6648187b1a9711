export { ArchiveError, type Archive, type ByCorrelationOptions, type ScanQuery } from './archive.ts';
export { openSqliteArchive } from './sqlite.ts';
