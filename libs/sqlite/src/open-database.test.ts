import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { openDatabase } from './open-database.ts';
import { isBusy } from './result-code.ts';

function newFile(t: { after: (clean: () => void) => void }): string {
  const folder = temporaryFolder('sqlite').path;
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'a', 'new.db');
}

test('a file is made with its folder, and keeps what was committed', (t) => {
  const path = newFile(t);
  const first = openDatabase(path, { pageSize: 8192 });
  first.exec('CREATE TABLE t (a); INSERT INTO t VALUES (7)');
  const second = openDatabase(path);
  assert.deepEqual({ ...second.prepare('SELECT a FROM t').get() }, { a: 7 });
  assert.deepEqual({ ...second.prepare('PRAGMA page_size').get() }, { page_size: 8192 });
  assert.deepEqual({ ...second.prepare('PRAGMA journal_mode').get() }, { journal_mode: 'wal' });
  assert.deepEqual({ ...second.prepare('PRAGMA synchronous').get() }, { synchronous: 2 });
  first.close();
  second.close();
});

test('a new file that another connection is writing is waited for', async (t) => {
  const path = newFile(t);
  openDatabase(path).close();
  const writer = new DatabaseSync(path);
  writer.exec('PRAGMA journal_mode=DELETE; BEGIN IMMEDIATE; CREATE TABLE t (a)');
  const hasty = new DatabaseSync(path, { timeout: 5000 });
  assert.throws(() => hasty.exec('PRAGMA journal_mode=WAL'), isBusy, 'SQLite itself does not wait here');
  hasty.close();
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    parentPort.postMessage('opening');
    import(workerData.module).then(({ openDatabase }) => {
      openDatabase(workerData.path).close();
      parentPort.postMessage('opened');
    });`;
  const module = new URL('open-database.ts', import.meta.url).href;
  const worker = new Worker(code, { eval: true, workerData: { module, path } });
  assert.deepEqual(await once(worker, 'message'), ['opening']);
  const opened = once(worker, 'message');
  const isOpen = await Promise.race([opened.then(() => true), new Promise((r) => setTimeout(r, 300, false))]);
  assert.equal(isOpen, false);
  writer.exec('COMMIT');
  assert.deepEqual(await opened, ['opened']);
  writer.close();
});
