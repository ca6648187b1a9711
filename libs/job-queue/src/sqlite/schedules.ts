import type { SqliteDatabase } from './database.ts';
import { insertJobs } from './jobs.ts';

interface ScheduleRow {
  id: string;
  every_ms: number;
  data: string;
  next_at: number;
}

/** Sets a schedule; one that exists with the same interval keeps its next time. `data` is JSON. */
export function putSchedule(
  db: SqliteDatabase,
  schedule: { id: string; everyMs: number; name: string; data: string },
  nowMs: number,
): void {
  const { id, everyMs, name, data } = schedule;
  db.run(
    `INSERT INTO schedules (id, every_ms, name, data, next_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET
       next_at = CASE WHEN every_ms = excluded.every_ms THEN next_at ELSE excluded.next_at END,
       every_ms = excluded.every_ms, name = excluded.name, data = excluded.data`,
    id,
    everyMs,
    name,
    data,
    nowMs + everyMs,
  );
}

export function deleteSchedule(db: SqliteDatabase, id: string): boolean {
  return db.run('DELETE FROM schedules WHERE id = ?', id) > 0;
}

const isAhead = 'name = ? AND next_at > ? + every_ms + 1000';
const dueSchedules = 'SELECT id, every_ms, data, next_at FROM schedules WHERE name = ? AND next_at <= ?';

/** Adds a job for each schedule of the name that is due; the intervals missed in the meantime are skipped. */
export function addScheduledJobs(db: SqliteDatabase, name: string, nowMs: number): void {
  // Set while the clock was ahead.
  if (db.get(`SELECT 1 FROM schedules WHERE ${isAhead} LIMIT 1`, name, nowMs) !== undefined)
    db.run(`UPDATE schedules SET next_at = ? + every_ms WHERE ${isAhead}`, nowMs, name, nowMs);
  if (db.get(`${dueSchedules} LIMIT 1`, name, nowMs) === undefined) return;
  db.transaction(() => {
    for (const { id, every_ms, data, next_at } of db.all<ScheduleRow>(dueSchedules, name, nowMs)) {
      insertJobs(db, [{ name, data: JSON.parse(data) as unknown, id: `${id}:${next_at}` }], nowMs);
      const missed = Math.floor((nowMs - next_at) / every_ms);
      db.run('UPDATE schedules SET next_at = ? WHERE id = ?', next_at + (missed + 1) * every_ms, id);
    }
  });
}
