import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { ColumnStore } from './column-store.ts';
import type { ViewName } from './views.ts';

const child = join(import.meta.dirname, 'testing', 'writer.child.ts');
const kills = process.env['LOGLOOM_FULL'] === '1' ? 20 : 3;

interface Told {
  stored?: number;
  removing?: number;
}

/** Lets a writer run for a random time and kills it; returns what it told. */
async function writeUntilKilled(folder: string, from: number): Promise<Told[]> {
  const writer = spawn(process.execPath, [child, folder, String(from)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const told: Told[] = [];
  let timer: NodeJS.Timeout | undefined;
  for await (const line of createInterface({ input: writer.stdout })) {
    told.push(JSON.parse(line) as Told);
    timer ??= setTimeout(() => writer.kill('SIGKILL'), 100 + Math.random() * 3000);
  }
  if (writer.signalCode === null && writer.exitCode === null) await once(writer, 'exit');
  assert.equal(writer.signalCode, 'SIGKILL');
  return told;
}

async function offsets(store: ColumnStore, view: ViewName): Promise<number[]> {
  return store.read(view, async (read) =>
    (await read.rows(`SELECT "offset" FROM ${read.events()} ORDER BY "offset"`)).map(([offset]) =>
      Number(offset),
    ),
  );
}

test(`a writer that is killed ${kills} times, at any moment, loses and doubles nothing`, async (t) => {
  using folder = temporaryFolder('column-store');
  let acknowledged = 0;
  let removedBefore = 0;
  for (let kill = 0; kill < kills; kill++) {
    const told = await writeUntilKilled(folder.path, acknowledged);
    for (const { stored, removing } of told) {
      acknowledged = Math.max(acknowledged, stored ?? 0);
      removedBefore = Math.max(removedBefore, (removing ?? 0) / 1000);
    }
    const store = new ColumnStore(folder.path);
    const archived = await offsets(store, 'archive');
    assert.ok(archived.length >= acknowledged, `${archived.length} of ${acknowledged} events`);
    assert.deepEqual(
      archived,
      archived.map((_, i) => i),
      'each event once',
    );
    assert.equal(store.counts('archive').events, archived.length);
    // A rebuild searches the latest 60,000 only; retention, those of the last 40,000.
    const searched = await offsets(store, 'search');
    assert.equal(new Set(searched).size, searched.length);
    const first = Math.max(removedBefore, archived.length - 60_000, 0);
    assert.deepEqual(
      searched.filter((offset) => offset >= first),
      archived.slice(Math.ceil(first)),
    );
    assert.equal(store.counts('search').events, searched.length);
    for (const view of ['search', 'archive'] as const) {
      const found = await store.read(view, async (read) =>
        (await read.rows(`SELECT count(*), count(DISTINCT id) FROM ${read.requests()}`))[0]!.map(Number),
      );
      assert.equal(found[0], found[1], 'each document once');
      assert.equal(store.counts(view).correlations, found[0]);
    }
    acknowledged = archived.length;
    await store.close();
  }
  const named = new ColumnStore(folder.path);
  const files = new Set(
    named.catalog
      .all<{ file: string }>('SELECT file FROM slices UNION SELECT file FROM obsolete')
      .map(({ file }) => file),
  );
  await named.close();
  assert.deepEqual(
    readdirSync(folder.path).filter((name) => name.endsWith('.parquet') && !files.has(name)),
    [],
  );
  t.diagnostic(`${acknowledged} events, ${kills} kills`);
});
