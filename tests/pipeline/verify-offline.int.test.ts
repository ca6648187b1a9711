import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, closeSync, writeSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { Pipeline } from './pipeline.ts';
import { demoLines } from './traffic.ts';

const main = join(import.meta.dirname, '../../apps/logloom/src/main.ts');

interface Report {
  complete: boolean;
  views: { view: string; kind: string; expected: number; missing: number }[];
  damaged: { topic: string; partition: number; from: number; to: number; reason: string }[];
  files: { file: string; faults: string[] }[];
}

async function run(
  env: Record<string, string>,
  ...args: string[]
): Promise<{ code: number | null; out: string; errors: string }> {
  const child = spawn(process.execPath, [main, 'verify', ...args], { env });
  let out = '';
  let errors = '';
  child.stdout.on('data', (data: Buffer) => (out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, errors };
}

test('a stopped deployment is verified without a server; one that runs is left alone; each kind of damage is told', async () => {
  await using pipeline = await Pipeline.create({ LOG_PARTITIONS: '2', CORRELATION_IDLE_MS: '500' });
  const { env, dataFolder } = pipeline;
  const offline = async (): Promise<{ code: number | null; report: Report }> => {
    const { code, out, errors } = await run(env, '--offline', '--json');
    assert.ok(code !== 2, errors);
    return { code, report: JSON.parse(out) as Report };
  };

  const before = await run(env, '--offline');
  assert.deepEqual([before.code, existsSync(join(dataFolder, 'log'))], [2, false]);
  assert.match(before.errors, /LOGLOOM_DATA=.*there is no log/);

  await pipeline.start();
  const lines = demoLines(60);
  assert.equal((await pipeline.ingest(lines.join('\n'))).status, 200);
  await pipeline.untilDone();
  const running = await run(env, '--offline');
  assert.equal(running.code, 2);
  assert.match(running.errors, /another process uses the data folder .* \(data-in-use\)/);
  // Killed: what was not written back yet is in the write-ahead files.
  await pipeline.end('SIGKILL');
  const refused = await run({ ...env, KAFKA_BROKERS: '127.0.0.1:1' }, '--offline');
  assert.equal(refused.code, 2);
  assert.match(refused.errors, /KAFKA_BROKERS/);

  const sound = await offline();
  assert.deepEqual(
    [sound.code, sound.report.complete, sound.report.damaged, sound.report.files],
    [0, true, [], []],
  );
  const expected = sound.report.views.find(({ view, kind }) => view === 'archive' && kind === 'events');
  assert.equal(expected?.expected, lines.length);
  assert.ok(sound.report.views.every(({ missing }) => missing === 0));
  assert.equal(sound.report.views.length, 4);

  // It has changed nothing that the next start minds.
  await pipeline.start();
  await pipeline.untilDone();
  assert.equal(await pipeline.end('SIGTERM'), 0);

  const catalog = new DatabaseSync(join(dataFolder, 'stores/catalog.db'));
  // The archive no longer has them; the search store does.
  const lost = catalog
    .prepare('UPDATE recent SET views = 1 WHERE seq = (SELECT max(seq) FROM recent) RETURNING rows')
    .get() as { rows: number };
  catalog.close();
  const hole = await offline();
  assert.equal(hole.code, 1);
  assert.deepEqual(
    hole.report.views
      .filter(({ missing }) => missing > 0)
      .map(({ view, kind, missing }) => [view, kind, missing]),
    [['archive', 'events', lost.rows]],
  );

  const topic = new DatabaseSync(join(dataFolder, 'log/logs.events.db'));
  const newest = topic.prepare('SELECT "offset", count FROM p0 ORDER BY "offset" DESC LIMIT 1').get() as {
    offset: number;
    count: number;
  };
  const oldest = topic.prepare('SELECT "offset", count FROM p0 ORDER BY "offset" LIMIT 1').get() as {
    offset: number;
    count: number;
  };
  topic.prepare('UPDATE p0 SET records = zeroblob(length(records)) WHERE "offset" = ?').run(oldest.offset);
  topic.prepare('DELETE FROM p0 WHERE "offset" = ?').run(newest.offset);
  topic.close();
  const damage = await offline();
  assert.equal(damage.code, 1);
  assert.deepEqual(
    damage.report.damaged.map(({ topic: name, partition, from, to, reason }) => [
      name,
      partition,
      from,
      to,
      reason,
    ]),
    [
      ['logs.events', 0, oldest.offset, oldest.offset + oldest.count, 'damaged'],
      ['logs.events', 0, newest.offset, newest.offset + newest.count, 'lost-end'],
    ],
  );

  const file = join(dataFolder, 'stores/catalog.db');
  for (const end of ['-wal', '-shm']) rmSync(file + end, { force: true });
  const handle = openSync(file, 'r+');
  writeSync(handle, Buffer.alloc(3 * 4096, 0xa5), 0, 3 * 4096, 4096);
  closeSync(handle);
  const broken = await offline();
  assert.equal(broken.code, 1);
  assert.deepEqual(
    [broken.report.views, broken.report.files.map((each) => each.file)],
    [[], ['stores/catalog.db']],
  );
  assert.match((await run(env, '--offline')).out, /damaged: stores\/catalog\.db/);
});
