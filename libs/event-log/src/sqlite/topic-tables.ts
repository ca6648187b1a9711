import type { DatabaseSync } from 'node:sqlite';

const shared = ['topic', 'floors', 'eras', 'skips'];

/**
 * Makes the tables that a topic's file lacks, also those that files of earlier releases have not. In one transaction: single statements
 * would each wait for the disk, and make threads that do the same wait for each other.
 */
export function createTables(db: DatabaseSync, partitions: number): void {
  const names = shared.map((name) => `'${name}'`).join(', ');
  const { made } = db
    .prepare(
      `SELECT count(*) AS made FROM sqlite_master WHERE name IN (${names})
       OR (sql LIKE '% crc INTEGER%' AND sql LIKE '% size INTEGER%')`,
    )
    .get() as { made: number };
  if (made >= partitions + shared.length) return;
  inTransaction(db, () => {
    db.exec(`CREATE TABLE IF NOT EXISTS topic (epoch TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS floors (partition INTEGER PRIMARY KEY, "offset" INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS eras (partition INTEGER, "offset" INTEGER, PRIMARY KEY (partition, "offset")) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS skips (partition INTEGER, "from" INTEGER, "to" INTEGER NOT NULL, PRIMARY KEY (partition, "from")) WITHOUT ROWID`);
    // The records come last: what stands behind a long value can be read only through it.
    for (let p = 0; p < partitions; p++)
      db.exec(
        `CREATE TABLE IF NOT EXISTS p${p} ("offset" INTEGER PRIMARY KEY, count INTEGER NOT NULL, timestamp INTEGER NOT NULL,
           crc INTEGER, format INTEGER, size INTEGER, records BLOB NOT NULL)`,
      );
    // A file of an earlier release: its batches have no checksums, or all are plain.
    for (const column of ['crc', 'format', 'size']) {
      const without = db
        .prepare(
          `SELECT name FROM sqlite_master WHERE name GLOB 'p[0-9]*' AND sql NOT LIKE '% ${column} INTEGER%'`,
        )
        .all() as { name: string }[];
      for (const { name } of without) db.exec(`ALTER TABLE ${name} ADD COLUMN ${column} INTEGER`);
    }
  });
}

/** Removes every table and gives the space back. */
export function dropTables(db: DatabaseSync, partitions: number): void {
  for (let p = 0; p < partitions; p++) db.exec(`DROP TABLE IF EXISTS p${p}`);
  for (const table of shared) db.exec(`DROP TABLE IF EXISTS ${table}`);
  db.exec('VACUUM');
}

/** Does all of the work or nothing of it. */
export function inTransaction(db: DatabaseSync, work: () => void): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    work();
    db.exec('COMMIT');
  } catch (error) {
    // SQLite ends the transaction itself on a full disk; a ROLLBACK would then hide the cause.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}
