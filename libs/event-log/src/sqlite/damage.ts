import { isIntact, type PartitionTable } from './partition-table.ts';

/** Offsets whose records are damaged or lost; `to` is not one of them. */
export interface Damage {
  from: number;
  to: number;
}

/**
 * The records from `offset` on that are damaged or lost: up to the next intact batch, or to `end`. Undefined if the record at `offset` is
 * intact, was trimmed, or does not exist yet. Offsets that a restored log has skipped are neither. Throws what SQLite throws.
 */
export function damageAt(table: PartitionTable, offset: number, end: number): Damage | undefined {
  const found = unreadableAt(table, offset, end);
  const skip = table.skips.find(({ from }) => from > offset && from < (found?.to ?? 0));
  return found === undefined || skip === undefined ? found : { from: offset, to: skip.from };
}

function unreadableAt(table: PartitionTable, offset: number, end: number): Damage | undefined {
  // Trimming removes records at the start only and never the last one: if there are none, all were lost.
  if (table.at(offset) === undefined)
    return table.last === undefined && offset < end ? { from: offset, to: end } : undefined;
  for (const batch of table.from(offset)) {
    if (batch.offset + batch.count <= offset || !isIntact(batch)) continue;
    return batch.offset <= offset ? undefined : { from: offset, to: batch.offset };
  }
  return offset < end ? { from: offset, to: end } : undefined;
}

/**
 * Every damaged batch of a partition, read one by one; offsets that no batch covers between two are lost ones. Yields undefined now and
 * then, so that the caller may yield to other work.
 */
export function* allDamage(table: PartitionTable, end: () => number): Generator<Damage | undefined> {
  let next: number | undefined;
  for (let last = -1; ;) {
    const batches = table.after(last);
    if (batches.length === 0) break;
    for (const batch of batches) {
      const { offset, count } = batch;
      const skip = table.skips.find(({ from, to }) => from >= (next ?? offset) && to <= offset);
      if (next !== undefined && next < (skip?.from ?? offset)) yield { from: next, to: skip?.from ?? offset };
      if (skip !== undefined && skip.to < offset) yield { from: skip.to, to: offset };
      next = offset + count;
      last = offset;
      if (!isIntact(batch)) yield { from: offset, to: next };
    }
    yield undefined;
  }
  const to = end();
  if (next !== undefined && next < to) yield { from: next, to };
}
