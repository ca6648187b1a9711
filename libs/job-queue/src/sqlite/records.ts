import { openDatabase, withFileNamed } from '@logloom/sqlite';
import type { JobRecords, RecordsUsage } from '../job-records.ts';
import { recordsPath } from './files.ts';

/** Greater than anything that can follow the prefix in an id. */
const lastCharacter = '\u{10ffff}';

/** The embedded store: one SQLite file in the folder, WAL, an fsync on each commit. Several threads may open it. */
export function createSqliteJobRecords(folder: string): JobRecords {
  const db = openDatabase(recordsPath(folder));
  db.exec(`
    CREATE TABLE IF NOT EXISTS records (kind TEXT, id TEXT, value TEXT NOT NULL, PRIMARY KEY (kind, id)) STRICT, WITHOUT ROWID;`);
  const put = db.prepare(
    'INSERT INTO records VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET value = excluded.value',
  );
  const replace = db.prepare('UPDATE records SET value = ? WHERE kind = ? AND id = ?');
  const get = db.prepare('SELECT value FROM records WHERE kind = ? AND id = ?');
  const list = db.prepare('SELECT id, value FROM records WHERE kind = ? ORDER BY id');
  const page = db.prepare(
    'SELECT id, value FROM records WHERE kind = ? AND id > ? AND id >= ? AND id < ? ORDER BY id LIMIT ?',
  );
  const usage = db.prepare(
    'SELECT COUNT(*) AS count, IFNULL(SUM(octet_length(id) + octet_length(value)), 0) AS bytes FROM records WHERE kind = ? AND id >= ? AND id < ?',
  );
  const remove = db.prepare('DELETE FROM records WHERE kind = ? AND id = ?');
  const named = <T>(work: () => T): T => withFileNamed(recordsPath(folder), work);
  const together = (work: () => void): void =>
    named(() => {
      db.exec('BEGIN IMMEDIATE');
      try {
        work();
        db.exec('COMMIT');
      } catch (error) {
        if (db.isTransaction) db.exec('ROLLBACK');
        throw error;
      }
    });
  return {
    put: async (kind, id, value) => void named(() => put.run(kind, id, JSON.stringify(value))),
    putAll: async (kind, entries) =>
      together(() => {
        for (const { id, value } of entries) put.run(kind, id, JSON.stringify(value));
      }),
    replace: async (kind, id, value) =>
      named(() => replace.run(JSON.stringify(value), kind, id).changes !== 0),
    get: async (kind, id) => {
      const row = named(() => get.get(kind, id)) as { value: string } | undefined;
      return row === undefined ? undefined : (JSON.parse(row.value) as unknown);
    },
    page: async (kind, prefix, limit, cursor = '') => {
      const rows = named(() => page.all(kind, cursor, prefix, prefix + lastCharacter, limit + 1)) as {
        id: string;
        value: string;
      }[];
      const entries = rows
        .slice(0, limit)
        .map(({ id, value }) => ({ id, value: JSON.parse(value) as unknown }));
      return rows.length > limit ? { entries, next: entries.at(-1)!.id } : { entries };
    },
    usage: async (kind, prefix) =>
      ({ ...named(() => usage.get(kind, prefix, prefix + lastCharacter)) }) as unknown as RecordsUsage,
    list: async (kind) =>
      (named(() => list.all(kind)) as { id: string; value: string }[]).map(({ id, value }) => ({
        id,
        value: JSON.parse(value) as unknown,
      })),
    delete: async (kind, id) => named(() => remove.run(kind, id).changes !== 0),
    deleteAll: async (kind, ids) =>
      together(() => {
        for (const id of ids) remove.run(kind, id);
      }),
    close: async () => {
      if (db.isOpen) db.close();
    },
  };
}
