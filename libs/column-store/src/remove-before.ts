import { join } from 'node:path';
import type { Catalog } from './catalog.ts';
import { countBefore } from './count-before.ts';
import type { Engine } from './engine.ts';
import type { Slice } from './slice.ts';
import { viewBit, type ViewName } from './views.ts';

/**
 * Removes from a view the events with a timestamp before `micros` and the documents whose last member was before it. A mark hides them at
 * once; slices that no view in use has rows of are removed. Recent rows must have been sealed if there are such. Returns how many events
 * were removed.
 */
export async function removeBefore(
  {
    catalog,
    engine,
    folder,
    nowMs,
  }: { catalog: Catalog; engine: Engine; folder: string; nowMs: () => number },
  view: ViewName,
  micros: number,
  usedViews: ReadonlySet<ViewName>,
): Promise<number> {
  const bit = viewBit[view];
  const before = catalog.snapshot().removedBefore[view];
  const mark = Math.max(before, micros);
  const changed: { slice: Slice; hidden: number }[] = [];
  for (const slice of catalog.slices()) {
    if ((slice.views & bit) === 0 || slice.fromMicros >= mark || slice.hidden[view] === slice.rows) continue;
    const hidden =
      slice.toMicros < mark
        ? slice.rows
        : await countBefore(engine, slice.kind, join(folder, slice.file), mark);
    if (hidden !== slice.hidden[view]) changed.push({ slice, hidden });
  }
  return catalog.write(() => {
    catalog.run(
      'INSERT INTO removed VALUES (?, ?) ON CONFLICT (view) DO UPDATE SET micros = excluded.micros',
      view,
      mark,
    );
    catalog.run(
      'UPDATE documents SET views = views & ~? WHERE last_at < ? AND views & ? <> 0 AND generation = 0',
      bit,
      mark,
      bit,
    );
    catalog.run('DELETE FROM documents WHERE views = 0 AND generation = 0');
    let removed = 0;
    for (const { slice, hidden } of changed) {
      if (slice.kind === 'events') removed += hidden - slice.hidden[view];
      catalog.run(`UPDATE slices SET ${view}_hidden = ? WHERE seq = ?`, hidden, slice.seq);
      const after = { ...slice.hidden, [view]: hidden };
      const isNeeded = [...usedViews].some(
        (user) => (slice.views & viewBit[user]) !== 0 && after[user] < slice.rows,
      );
      if (!isNeeded) catalog.removeSlice(slice, nowMs());
    }
    catalog.setState('slicesSeq', catalog.nextSeq());
    return removed;
  });
}
