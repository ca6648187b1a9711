import type { RowOutline } from './partition-table.ts';

/** Rows are joined until they hold this many bytes, unpacked. A reader unpacks a whole row, so more would cost it memory. */
const joinedBytes = 2 ** 20;
/** A row of this many bytes stays as it is: joining would save little. */
const fullBytes = joinedBytes / 2;
const maxRecords = 2 ** 16;

/** Rows that are to become one. `isFinal`: nothing will be added to them, however few they are. */
export interface JoinableRun {
  rows: RowOutline[];
  isFinal: boolean;
}

/**
 * Divides rows, in order, into runs that may be joined: small ones without a gap between them. A run ends before each offset of `breaks`.
 * The last run is not final if rows that follow may join it.
 */
export function joinableRuns(rows: Iterable<RowOutline>, breaks: ReadonlySet<number>): JoinableRun[] {
  const runs: JoinableRun[] = [];
  let open: RowOutline[] = [];
  let bytes = 0;
  let records = 0;
  const close = (isFinal: boolean): void => {
    if (open.length > 0) runs.push({ rows: open, isFinal });
    open = [];
    bytes = records = 0;
  };
  for (const row of rows) {
    const previous = open.at(-1);
    if (previous !== undefined && (previous.offset + previous.count !== row.offset || breaks.has(row.offset)))
      close(true);
    if (row.size >= fullBytes || records + row.count > maxRecords) close(true);
    open.push(row);
    bytes += row.size;
    records += row.count;
    if (bytes >= fullBytes && (open.length === 1 || bytes >= joinedBytes)) close(true);
  }
  close(false);
  return runs;
}

/** Whether joining is worth its work: a run that goes on growing is joined only when it has grown by half, so each record is moved rarely. */
export function isWorthJoining({ rows, isFinal }: JoinableRun): boolean {
  if (rows.length < 2) return false;
  if (isFinal) return true;
  const largest = Math.max(...rows.map(({ size }) => size));
  const all = rows.reduce((sum, { size }) => sum + size, 0);
  return all - largest >= largest / 2;
}
