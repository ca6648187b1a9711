export { ArchiveError, type Archive, type ScanQuery } from './archive.ts';
export { openSqliteArchive } from './sqlite.ts';
