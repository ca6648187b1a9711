import { placedEvent, correlationDocument } from '@logloom/testing';
import { writeSync } from 'node:fs';
import { ColumnStore } from '../column-store.ts';

/**
 * Writes to a store until it is killed, and tells after each step how far it is: batches of all sizes, retention of one view, rebuilds and
 * merging run as they come. `from` is the first offset that is not known as stored.
 */
const [folder, from] = [process.argv[2]!, Number(process.argv[3])];
const store = new ColumnStore(folder);
store.use('search');
store.use('archive');
const event = (offset: number) =>
  placedEvent(offset, { id: `e1-0-${offset}`, timestamp: offset * 1000, message: `message ${offset}` });
const tell = (line: object): void => void writeSync(1, `${JSON.stringify(line)}\n`);

tell({ ready: true });
for (let offset = from, step = 0; ; step++) {
  const size = [7, 600, 5000, 1200, 30][step % 5]!;
  // A batch begins before what was acknowledged, as after a crash of the indexer.
  const first = Math.max(0, offset - 100);
  const events = Array.from({ length: offset + size - first }, (_, i) => event(first + i));
  await store.putEvents(step % 2 === 0 ? 'search' : 'archive', events);
  offset += size;
  tell({ stored: offset });
  const documents = [1, 2].map((revision) =>
    correlationDocument(`e1-0-${Math.floor(offset / 2)}`, {
      revision,
      firstOffset: Math.floor(offset / 2),
      closeOffset: offset,
      lastAt: offset * 1000,
    }),
  );
  await store.putDocuments('search', documents.slice(step % 2));
  if (step % 7 === 6) {
    const removed = (offset - 40_000) * 1000;
    tell({ removing: removed });
    await store.removeBefore('search', removed);
  }
  if (step % 11 === 10) {
    const rebuild = await store.rebuild();
    for (let at = Math.max(0, offset - 60_000); at < offset; at += 5000)
      await rebuild.putEvents(Array.from({ length: Math.min(5000, offset - at) }, (_, i) => event(at + i)));
    tell({ committing: true });
    await rebuild.commit();
  }
  if (step % 13 === 12) await store.settle();
}
