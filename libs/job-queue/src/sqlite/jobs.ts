import { randomUUID } from 'node:crypto';
import { checkJob } from '../check-job.ts';
import type { Backoff, Job, JobCounts, NewJob } from '../job-queue.ts';
import type { SqliteDatabase } from './database.ts';

interface JobRow {
  id: string;
  name: string;
  data: string;
  state: 'waiting' | 'active' | 'completed' | 'failed';
  run_at: number;
  attempts: number;
  attempts_made: number;
  backoff: string | null;
  progress: number;
  error: string | null;
  lease: string | null;
  added_at: number;
  finished_at: number | null;
}

/** A job in the hands of a worker: `lease` proves that it still belongs to this worker. */
export interface ClaimedJob {
  job: Job;
  backoff: Backoff | undefined;
  lease: string;
}

/** Adds the jobs whose ids are new, in the caller's transaction, and returns all ids. */
export function insertJobs(db: SqliteDatabase, jobs: NewJob[], nowMs: number): string[] {
  return jobs.map((job) => {
    const data = checkJob(job);
    const id = job.id ?? randomUUID();
    db.run(
      `INSERT INTO jobs (id, name, data, run_at, attempts, backoff, added_at, timed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO NOTHING`,
      id,
      job.name,
      data,
      nowMs + Math.round(job.delayMs ?? 0),
      job.attempts ?? 1,
      job.backoff === undefined ? null : JSON.stringify(job.backoff),
      nowMs,
      nowMs,
    );
    return id;
  });
}

/**
 * Takes the next due job under a lease. First puts jobs whose lease has expired back into the queue (or fails them, after `maxLapses`).
 * `exclusive`: takes none while another job of the name is under a lease.
 */
export function claimJob(
  db: SqliteDatabase,
  name: string,
  nowMs: number,
  leaseUntilMs: number,
  maxLapses: number,
  exclusive: boolean,
): ClaimedJob | undefined {
  // Checked first, so that an idle worker takes no write lock.
  const due = db.get(
    `SELECT 1 FROM jobs WHERE name = ? AND state = 'waiting' AND run_at <= ?
     UNION ALL SELECT 1 FROM jobs WHERE name = ? AND state = 'active' AND lease_until <= ? LIMIT 1`,
    name,
    nowMs,
    name,
    nowMs,
  );
  if (due === undefined) return undefined;
  const row = db.transaction(() => {
    db.run(
      `UPDATE jobs SET state = 'failed', lease = NULL, finished_at = ?, timed_at = ?, error = 'its worker died or stood still too often'
       WHERE name = ? AND state = 'active' AND lease_until <= ? AND lapses >= ?`,
      nowMs,
      nowMs,
      name,
      nowMs,
      maxLapses,
    );
    db.run(
      `UPDATE jobs SET state = 'waiting', lease = NULL, lapses = lapses + 1, attempts_made = attempts_made - 1
       WHERE name = ? AND state = 'active' AND lease_until <= ?`,
      name,
      nowMs,
    );
    return db.get<JobRow>(
      `UPDATE jobs SET state = 'active', attempts_made = attempts_made + 1, lease = ?, lease_until = ?, timed_at = ?
       WHERE seq = (SELECT seq FROM jobs WHERE name = ? AND state = 'waiting' AND run_at <= ? ORDER BY run_at, seq LIMIT 1)
         AND NOT (? AND EXISTS (SELECT 1 FROM jobs WHERE name = ? AND state = 'active'))
       RETURNING *`,
      randomUUID(),
      leaseUntilMs,
      nowMs,
      name,
      nowMs,
      exclusive ? 1 : 0,
      name,
    );
  });
  if (row === undefined) return undefined;
  const backoff = row.backoff === null ? undefined : (JSON.parse(row.backoff) as Backoff);
  return { job: toJob(row, nowMs), backoff, lease: row.lease! };
}

/**
 * Corrects times that were written while the clock was ahead, by the same amount: delays and leases keep their length, and jobs that
 * finished then are not kept longer than later ones.
 */
export function undoWrongClock(db: SqliteDatabase, nowMs: number): void {
  // Checked first, so that an idle worker takes no write lock.
  if (db.get('SELECT 1 FROM jobs WHERE timed_at > ? LIMIT 1', nowMs + toleranceMs) === undefined) return;
  db.run(
    `UPDATE jobs SET run_at = CASE WHEN run_at > ? THEN run_at - (timed_at - ?) ELSE run_at END,
       lease_until = lease_until - (timed_at - ?), added_at = MIN(added_at, ?), finished_at = MIN(finished_at, ?), timed_at = ?
     WHERE timed_at > ?`,
    nowMs,
    nowMs,
    nowMs,
    nowMs,
    nowMs,
    nowMs,
    nowMs + toleranceMs,
  );
}

/** Each of these is false, and changes nothing, when the lease is no longer held. */
export function renewLease(db: SqliteDatabase, lease: string, nowMs: number, leaseUntilMs: number): boolean {
  return (
    db.run(`UPDATE jobs SET lease_until = ?, timed_at = ? WHERE ${held}`, leaseUntilMs, nowMs, lease) > 0
  );
}

export function setProgress(db: SqliteDatabase, lease: string, progress: number): boolean {
  return db.run(`UPDATE jobs SET progress = ? WHERE ${held}`, progress, lease) > 0;
}

/** Ends a job for good, and drops the oldest jobs of its name in that state beyond `keep`. */
export function finishJob(
  db: SqliteDatabase,
  { lease, job }: ClaimedJob,
  outcome: { state: 'completed' } | { state: 'failed'; error: string },
  nowMs: number,
  keep: number,
): boolean {
  const error = outcome.state === 'failed' ? outcome.error : null;
  return db.transaction(() => {
    const changed = db.run(
      `UPDATE jobs SET state = ?, error = ?, finished_at = ?, timed_at = ?, lease = NULL, lease_until = NULL WHERE ${held}`,
      outcome.state,
      error,
      nowMs,
      nowMs,
      lease,
    );
    db.run(
      `DELETE FROM jobs WHERE seq IN (SELECT seq FROM jobs WHERE name = ? AND state = ?
       ORDER BY finished_at DESC, seq DESC LIMIT -1 OFFSET ?)`,
      job.name,
      outcome.state,
      keep,
    );
    return changed > 0;
  });
}

/** Puts a job back after a failed attempt, to be retried at `runAtMs`. */
export function postponeJob(
  db: SqliteDatabase,
  lease: string,
  error: string,
  nowMs: number,
  runAtMs: number,
): boolean {
  const set = `state = 'waiting', error = ?, timed_at = ?, run_at = ?, lease = NULL, lease_until = NULL`;
  return db.run(`UPDATE jobs SET ${set} WHERE ${held}`, error, nowMs, runAtMs, lease) > 0;
}

/** Puts a job back as if the attempt had not been made. */
export function releaseJob(db: SqliteDatabase, lease: string): boolean {
  const set = `state = 'waiting', attempts_made = attempts_made - 1, lease = NULL, lease_until = NULL`;
  return db.run(`UPDATE jobs SET ${set} WHERE ${held}`, lease) > 0;
}

export function findJob(db: SqliteDatabase, id: string, nowMs: number): Job | undefined {
  const row = db.get<JobRow>('SELECT * FROM jobs WHERE id = ?', id);
  return row && toJob(row, nowMs);
}

export function failedJobs(db: SqliteDatabase, name: string, limit: number, nowMs: number): Job[] {
  const order = `ORDER BY finished_at DESC, seq DESC LIMIT ?`;
  const rows = db.all<JobRow>(`SELECT * FROM jobs WHERE name = ? AND state = 'failed' ${order}`, name, limit);
  return rows.map((row) => toJob(row, nowMs));
}

export function countJobs(db: SqliteDatabase, name: string, nowMs: number): JobCounts {
  const counts: JobCounts = { waiting: 0, delayed: 0, active: 0, completed: 0, failed: 0 };
  const state = `CASE WHEN state = 'waiting' AND run_at > ? THEN 'delayed' ELSE state END`;
  const rows = db.all<{ state: keyof JobCounts; count: number }>(
    `SELECT ${state} AS state, count(*) AS count FROM jobs WHERE name = ? GROUP BY 1`,
    nowMs,
    name,
  );
  for (const row of rows) counts[row.state] = row.count;
  return counts;
}

/** If the clock is set back by less than this (ms), the queue waits until it has caught up. */
const toleranceMs = 1000;

const held = `lease = ? AND state = 'active'`;

function toJob(row: JobRow, nowMs: number): Job {
  return {
    id: row.id,
    name: row.name,
    data: JSON.parse(row.data) as unknown,
    state: row.state === 'waiting' && row.run_at > nowMs ? 'delayed' : row.state,
    attemptsMade: row.attempts_made,
    attempts: row.attempts,
    progress: row.progress,
    ...(row.error !== null && { error: row.error }),
    addedAt: row.added_at,
    ...(row.finished_at !== null && { finishedAt: row.finished_at }),
  };
}
