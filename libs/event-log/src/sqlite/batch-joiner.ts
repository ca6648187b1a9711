import { isBusy, openDatabase } from '@logloom/sqlite';
import { isDeepStrictEqual } from 'node:util';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { joinBatches } from './join-batches.ts';
import { isWorthJoining, joinableRuns, type JoinableRun } from './joinable-runs.ts';
import { isIntact, PartitionTable, type RowOutline, type StoredBatch } from './partition-table.ts';
import { returnRoom } from './return-room.ts';
import { inTransaction } from './topic-tables.ts';
import { checkpointBytes } from './topic.ts';

const pageRows = 500;
/** How long (ms) it waits for a writer's lock before it tries again: it never makes a thread wait. */
const retryMs = 10;
/** The share of the time that it works at most. */
const workShare = 0.25;

export interface JoinTarget {
  path: string;
  partitions: number;
}

/** Which rows may be joined; the others are left alone. */
export interface JoinBounds {
  /** Rows that were appended later (ms since 1970) stay as they are: readers near the end want little at once. */
  appendedBefore: number;
}

/**
 * Joins the small rows of a topic into large ones, which compress several times as well, and returns the room to the disk. Records keep their
 * offsets and append times. Each join is one transaction, which readers and other writers see whole or not at all; after a power loss it may
 * be undone. The last row of a partition stays, as it holds the end and the clock.
 */
export class BatchJoiner {
  /** By file and partition, the row from which on there may be something to join. */
  readonly #from = new Map<string, number>();
  /** Rows that are damaged. */
  readonly #damaged = new Set<string>();

  /** One pass over a topic; returns how many rows were replaced by how many. Throws SQLite's errors. */
  async join(
    { path, partitions }: JoinTarget,
    { appendedBefore }: JoinBounds,
    signal: AbortSignal,
  ): Promise<{ rows: number; into: number }> {
    const joined = { rows: 0, into: 0 };
    const db = openDatabase(path, { waitMs: 0, checkpointBytes });
    try {
      // A join that a power loss undoes has lost nothing. The next append makes it durable with its own sync.
      db.exec('PRAGMA synchronous=NORMAL');
      const { epoch } = (db.prepare('SELECT epoch FROM topic').get() ?? {}) as { epoch?: string };
      for (let p = 0; p < partitions && !signal.aborted; p++) {
        const table = new PartitionTable(db, p, (error) => error);
        const place = `${path} ${epoch} ${p}`;
        for (const run of this.#runs(db, table, p, place, appendedBefore)) {
          if (signal.aborted) return joined;
          if (!isWorthJoining(run)) continue;
          const startedAt = performance.now();
          if (await this.#replace(db, table, place, run.rows, signal)) {
            joined.rows += run.rows.length;
            joined.into++;
          }
          const rest = (performance.now() - startedAt) * (1 / workShare - 1);
          await sleep(rest, undefined, { signal }).catch(() => {});
        }
      }
      await returnRoom(db, (work) => whenFree(work, signal), signal);
    } finally {
      db.close();
    }
    return joined;
  }

  /** Page by page, so that a long partition is not held in memory. */
  *#runs(
    db: DatabaseSync,
    table: PartitionTable,
    partition: number,
    place: string,
    appendedBefore: number,
  ): Generator<JoinableRun> {
    const last = table.last?.[0] ?? 0;
    const eras = db.prepare('SELECT "offset" FROM eras WHERE partition = ?').all(partition);
    const breaks = new Set((eras as { offset: number }[]).map(({ offset }) => offset));
    let from = this.#from.get(place) ?? 0;
    let open: RowOutline[] = [];
    for (;;) {
      const page = table.outlines(from, pageRows);
      const end = page.findIndex(
        ({ offset, timestampMs }) => offset >= last || timestampMs >= appendedBefore,
      );
      const old = end < 0 ? page : page.slice(0, end);
      if (old.length > 0) from = endOf(old);
      for (const { offset, count } of old)
        if (this.#damaged.has(`${place} ${offset}`)) breaks.add(offset).add(offset + count);
      const runs = joinableRuns([...open, ...old], breaks);
      const growing = runs.at(-1)?.isFinal === false ? runs.pop()! : undefined;
      open = growing?.rows ?? [];
      // The next pass begins with what may still grow.
      this.#from.set(place, open[0]?.offset ?? from);
      yield* runs;
      if (end < 0 && page.length === pageRows) continue;
      if (growing !== undefined) yield growing;
      return;
    }
  }

  /** Whether it did: rows that are damaged, or have changed meanwhile, are left as they are. */
  async #replace(
    db: DatabaseSync,
    table: PartitionTable,
    place: string,
    outlines: readonly RowOutline[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const batches: StoredBatch[] = [];
    for (const outline of outlines) {
      const batch = table.row(outline.offset);
      if (batch === undefined || !isDeepStrictEqual(outlineOf(batch), outline)) return false;
      if (!isIntact(batch)) {
        this.#damaged.add(`${place} ${outline.offset}`);
        return false;
      }
      batches.push(batch);
    }
    const joined = await joinBatches(batches);
    const [first, last] = [outlines[0]!.offset, outlines.at(-1)!.offset];
    return whenFree(() => {
      let isDone = false;
      inTransaction(db, () => {
        if (!isDeepStrictEqual(table.outlines(first, outlines.length), outlines)) return;
        table.replace(first, last, joined);
        isDone = true;
      });
      return isDone;
    }, signal);
  }
}

function outlineOf({ offset, count, timestampMs, size, crc }: StoredBatch): RowOutline {
  return { offset, count, timestampMs, size, crc };
}

function endOf(rows: readonly RowOutline[]): number {
  const { offset, count } = rows.at(-1)!;
  return offset + count;
}

/** Does the work once no other connection holds the lock. */
async function whenFree<T>(work: () => T, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || signal.aborted) throw error;
    }
    await sleep(retryMs * Math.random(), undefined, { signal }).catch(() => {});
  }
}
