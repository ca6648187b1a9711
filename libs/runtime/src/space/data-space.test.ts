import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { DataSpace } from './data-space.ts';
import { GrowthWindow } from './growth-window.ts';
import { StorageWatch } from './storage-watch.ts';

const folder = temporaryFolder('space').path;
after(() => rmSync(folder, { recursive: true }));
const write = (path: string, bytes: number): void => {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), Buffer.alloc(bytes, 1));
};
const hourMs = 3_600_000;

test('files count for their topic, their store, or their folder; growth and days are known after an hour', async () => {
  for (const [path, bytes] of [
    ['log/logs.events.db', 8192],
    ['log/logs.events.db-wal', 4096],
    ['log/logs.events.ends', 80],
    ['log/groups.db', 4096],
    ['stores/events-1-2-3.parquet', 20_000],
    ['stores/events-1-2-3.words', 100],
    ['stores/catalog.db', 4096],
    ['jobs/jobs.db', 4096],
    ['lock.db', 10],
  ] as const)
    write(path, bytes);
  let nowMs = 1_000_000;
  const space = new DataSpace({ folder, reserveBytes: 2 ** 20, nowMs: () => nowMs });
  const first = await space.report();
  assert.deepEqual(first.topics, { 'logs.events': 12_368 });
  assert.deepEqual(first.stores, { events: 20_100, catalog: 4096 });
  assert.deepEqual(first.others, { log: 4096, jobs: 4096, folder: 10 });
  assert.equal(first.all, 12_368 + 24_196 + 8202);
  assert.deepEqual([first.disk.reserve, first.growth, first.daysLeft], [2 ** 20, null, null]);
  nowMs += hourMs;
  write('stores/events-4-5-6.parquet', 1_000_000);
  const second = await space.report();
  assert.deepEqual(second.growth, { bytesPerDay: 24_000_000, windowSeconds: 3600 });
  assert.equal(second.daysLeft, Number(((second.disk.free - 2 ** 20) / 24_000_000).toFixed(1)));
});

test('a rate is of at most a day, and a clock that is set back begins anew', () => {
  const window = new GrowthWindow();
  for (let hour = 0; hour <= 48; hour++) window.add(hour * hourMs, hour < 24 ? 0 : (hour - 24) * 1000);
  assert.deepEqual(window.growth, { bytesPerDay: 24_000, windowSeconds: 86_400 });
  window.add(hourMs, 0);
  assert.equal(window.growth, undefined);
});

test('the disk counts as full by the setting, and has room again by itself', async () => {
  const stop = new AbortController();
  const changes: (string | undefined)[] = [];
  let reusable = 0;
  const watch = new StorageWatch({
    folder,
    reserveBytes: Number.MAX_SAFE_INTEGER,
    reusableBytes: () => reusable,
  });
  assert.equal(watch.trouble?.code, 'disk-full');
  assert.match(watch.trouble.message, /DISK_RESERVE_BYTES/);
  const running = watch.run(stop.signal, (trouble) => {
    changes.push(trouble?.code);
    reusable = Number.MAX_SAFE_INTEGER;
    if (trouble === undefined) stop.abort();
  });
  await running;
  assert.deepEqual(changes, ['disk-full', undefined]);
  assert.ok(statSync(folder).isDirectory());
});
