import { parentPort, workerData } from 'node:worker_threads';
import { ColumnStore } from '../column-store.ts';

/** Reads the store until it has as many events as wanted, and tells what each look found: how many, and how many ids. */
const { folder, view, wanted } = workerData as { folder: string; view: 'search' | 'archive'; wanted: number };
const store = new ColumnStore(folder, { readOnly: true });
for (let count = 0; count < wanted;) {
  const [row] = await store.read(view, (read) =>
    read.rows(`SELECT count(*), count(DISTINCT id), count(message) FROM ${read.events()}`),
  );
  const look = row!.map(Number);
  count = look[0]!;
  parentPort!.postMessage(look);
}
await store.close();
